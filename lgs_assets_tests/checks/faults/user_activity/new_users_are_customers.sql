update user_activity set new_users = 0, existing_users = active_users
