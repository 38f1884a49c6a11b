update segment_survival set entries = entries + 1, remaining = remaining + 1 where months = 0
