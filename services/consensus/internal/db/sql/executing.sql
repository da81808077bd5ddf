SELECT layer FROM executing ORDER BY layer
