update audience_history set members = members + 1
