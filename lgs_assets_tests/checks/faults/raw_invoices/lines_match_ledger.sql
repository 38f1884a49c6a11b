update dumps set lines = lines + 1
