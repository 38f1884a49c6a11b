update prediction_terms set features_from = cast(features_from - interval '1 month' as date)
