update prediction_terms set features_from = features_from + 1
