SELECT node_id, name, step, publish_epoch, until, note, since
FROM activation.steps
WHERE NOT EXISTS (SELECT FROM activation.retired WHERE retired.node_id = steps.node_id)
ORDER BY name, node_id
