INSERT INTO beacons (epoch, beacon)
VALUES ($1, $2)
ON CONFLICT (epoch) DO UPDATE SET beacon = excluded.beacon WHERE $3
