delete from segment_playbook where segment = 'Promising'
