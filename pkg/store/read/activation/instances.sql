SELECT instance
FROM activation.members
WHERE expires_at > clock_timestamp()
ORDER BY instance
