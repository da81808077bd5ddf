-- Orders in which the API lists activations.
DROP INDEX atxs_by_epoch;
CREATE INDEX atxs_by_epoch ON atxs (publish_epoch, id);
CREATE INDEX atxs_by_coinbase ON atxs (coinbase, publish_epoch, id);
-- Sums of what are unsigned numbers elsewhere must not overflow here.
CREATE INDEX atxs_by_height ON atxs ((base_height::numeric + tick_count) DESC, id);
