update segment_summary set revenue = revenue + 0.01 where position = 2
