-- derived: rebuilt at will from other tables
create table product_pairs (
    code text collate "C" not null,
    other_code text collate "C" not null,
    baskets bigint not null check (baskets > 0),
    baskets_of_code bigint not null,
    baskets_of_other bigint not null,
    all_baskets bigint not null,
    support numeric not null check (support between 0 and 1),
    confidence numeric not null check (confidence between 0 and 1),
    confidence_back numeric not null check (confidence_back between 0 and 1),
    lift numeric not null check (lift > 0),
    kulczynski numeric not null check (kulczynski between 0 and 1),
    primary key (code, other_code),
    check (code < other_code),
    check (baskets <= baskets_of_code and baskets <= baskets_of_other),
    check (baskets_of_code <= all_baskets and baskets_of_other <= all_baskets)
);

comment on table product_pairs is 'Products bought together in at least pair_support (a setting) baskets. A basket is the products that an invoice sold, each once. One row per pair.';
comment on column product_pairs.code is 'Code of the product that comes first in the order of codes.';
comment on column product_pairs.other_code is 'Code of the other.';
comment on column product_pairs.baskets is 'Baskets with both.';
comment on column product_pairs.baskets_of_code is 'Baskets with the first.';
comment on column product_pairs.baskets_of_other is 'Baskets with the other.';
comment on column product_pairs.all_baskets is 'All baskets.';
comment on column product_pairs.support is 'Share of all baskets that hold both, from 0 to 1, to 6 places.';
comment on column product_pairs.confidence is 'Share of the baskets with the first that also hold the other, to 6 places.';
comment on column product_pairs.confidence_back is 'Share of the baskets with the other that also hold the first, to 6 places.';
comment on column product_pairs.lift is 'support ÷ its value by chance, to 6 places. Above 1: together more often than by chance.';
comment on column product_pairs.kulczynski is 'Mean of the two confidences, to 6 places.';
