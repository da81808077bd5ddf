SELECT name, holder
FROM activation.lease
WHERE name LIKE 'identity/%' AND expires_at > clock_timestamp()
ORDER BY name
