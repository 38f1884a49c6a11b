-- derived: rebuilt at will from other tables
create table customer_value (
    customer_id integer not null,
    horizon_days bigint not null check (horizon_days > 0),
    as_of date not null,
    model text collate "C" not null,
    probability_alive double precision check (probability_alive between 0 and 1),
    purchases_low bigint check (purchases_low >= 0),
    purchases double precision not null check (purchases >= 0),
    purchases_high bigint,
    sales_low numeric check (sales_low >= 0 and sales_low = round(sales_low, 2)),
    sales numeric not null check (sales >= 0 and sales = round(sales, 2)),
    sales_high numeric check (sales_high = round(sales_high, 2)),
    historic_net numeric not null,
    total_value numeric not null check (total_value = historic_net + sales),
    rank bigint not null check (rank > 0),
    decile bigint not null check (decile between 1 and 10),
    primary key (customer_id, horizon_days),
    check (purchases_low <= purchases and purchases <= purchases_high),
    check (sales_low <= sales and sales <= sales_high),
    check ((purchases_low is null) = (purchases_high is null)),
    check ((sales_low is null) = (sales_high is null)),
    check ((purchases_low is null) = (sales_low is null))
);

comment on table customer_value is 'What each customer is expected to buy in the days from as_of on, also where lines end before it. Totals of it have been wrong by what model_evaluations says: the intervals are those of single customers. One row a customer and horizon; none while too little has been observed.';
comment on column customer_value.customer_id is 'Customer.';
comment on column customer_value.horizon_days is 'How many days from as_of: 90, 182 or 365.';
comment on column customer_value.as_of is 'The moment that it is predicted from.';
comment on column customer_value.model is 'What predicts it: BG/NBD and Gamma-Gamma, or the baseline if that was no worse on past days.';
comment on column customer_value.probability_alive is 'Probability that the customer had not left for good when the lines end, by BG/NBD. It is no score of churn. NULL if the baseline predicts.';
comment on column customer_value.purchases_low is 'Lower end of the 80 % interval of the purchase days, by simulation. NULL if the baseline predicts: it has no interval.';
comment on column customer_value.purchases is 'Expected purchase days.';
comment on column customer_value.purchases_high is 'Upper end of the interval, or NULL.';
comment on column customer_value.sales_low is 'Lower end of the 80 % interval of sales in pounds sterling. NULL if the baseline predicts.';
comment on column customer_value.sales is 'Expected sales in pounds sterling before returns, discounted by the setting discount_pct, rounded once.';
comment on column customer_value.sales_high is 'Upper end of the interval, or NULL.';
comment on column customer_value.historic_net is 'Sum of line_total of all lines of the customer before as_of in pounds sterling, exact.';
comment on column customer_value.total_value is 'historic_net and sales together.';
comment on column customer_value.rank is 'Place by sales at this horizon, from 1.';
comment on column customer_value.decile is 'Tenth of the customers by sales at this horizon; 1 is the highest.';
