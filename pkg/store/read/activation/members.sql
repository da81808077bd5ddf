SELECT identities
FROM activation.members
WHERE expires_at > clock_timestamp()
