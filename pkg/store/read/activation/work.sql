SELECT node_id, kind, state = 2, coalesce(worker, ''), done, total, error
FROM activation.tasks
WHERE state IN (1, 2)
ORDER BY deadline, id
