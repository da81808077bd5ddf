SELECT marriage_id, atx, place, node_id, target, signature
FROM activation.marriages
ORDER BY seq
