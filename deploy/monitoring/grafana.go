package monitoring

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
)

// JSON is the dashboard as Grafana imports it (schema version 39).
func (d Dashboard) JSON() ([]byte, error) {
	source := map[string]any{"type": "prometheus", "uid": "${datasource}"}
	var panels []any
	id, y := 0, 0
	for _, row := range d.Rows {
		id++
		panels = append(panels, map[string]any{
			"id": id, "type": "row", "title": row.Title, "collapsed": false, "panels": []any{},
			"gridPos": position(0, y, 24, 1),
		})
		y++
		x := 0
		for _, p := range row.Panels {
			id++
			width, height := 8, 8
			if p.Stat {
				width, height = 4, 4
			}
			if x+width > 24 {
				x, y = 0, y+tallest(row.Panels)
			}
			panels = append(panels, p.object(id, source, position(x, y, width, height)))
			x += width
		}
		y += tallest(row.Panels)
	}
	out := map[string]any{
		"uid": "smeshery-" + d.UID, "title": "Smeshery / " + d.Title, "tags": []string{"smeshery"},
		"schemaVersion": 39, "version": 1, "editable": true, "graphTooltip": 1,
		"refresh": "30s", "timezone": "utc", "time": map[string]any{"from": "now-6h", "to": "now"},
		"annotations": map[string]any{"list": []any{}},
		"links": []any{map[string]any{
			"type": "dashboards", "tags": []string{"smeshery"}, "asDropdown": true, "title": "Smeshery",
			"includeVars": true, "keepTime": true,
		}},
		"templating": map[string]any{"list": []any{
			map[string]any{"name": "datasource", "label": "Data source", "type": "datasource", "query": "prometheus", "current": map[string]any{}},
			map[string]any{
				"name": "network", "label": "Network", "type": "query", "datasource": source,
				"query": map[string]any{"query": "label_values(smeshery_build_info, network)", "refId": "networks"},
				"multi": true, "includeAll": true, "allValue": ".*", "refresh": 1, "sort": 1,
				"current": map[string]any{"text": "All", "value": "$__all"},
			},
		}},
		"panels": panels,
	}
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	if err := enc.Encode(out); err != nil {
		return nil, fmt.Errorf("dashboard %s: %w", d.UID, err)
	}
	return b.Bytes(), nil
}

func tallest(panels []Panel) int {
	if slices.ContainsFunc(panels, func(p Panel) bool { return !p.Stat }) {
		return 8
	}
	return 4
}

func position(x, y, w, h int) map[string]any { return map[string]any{"x": x, "y": y, "w": w, "h": h} }

func (p Panel) object(id int, source, at map[string]any) map[string]any {
	targets := make([]any, len(p.Queries))
	for i, q := range p.Queries {
		targets[i] = map[string]any{
			"refId": string(rune('A' + i)), "datasource": source, "expr": Narrow(q.Expr),
			"legendFormat": q.Legend, "range": true, "editorMode": "code",
		}
	}
	out := map[string]any{
		"id": id, "title": p.Title, "description": p.Help, "datasource": source, "gridPos": at, "targets": targets,
	}
	defaults := map[string]any{"unit": p.Unit, "min": 0}
	if p.Stat {
		out["type"] = "stat"
		out["options"] = map[string]any{
			"reduceOptions": map[string]any{"calcs": []string{"lastNotNull"}, "fields": "", "values": false},
			"colorMode":     "value", "graphMode": "area", "textMode": "auto",
		}
		defaults["color"] = map[string]any{"mode": "fixed", "fixedColor": "blue"}
	} else {
		out["type"] = "timeseries"
		out["options"] = map[string]any{
			"legend":  map[string]any{"displayMode": "list", "placement": "bottom", "showLegend": true},
			"tooltip": map[string]any{"mode": "multi", "sort": "desc"},
		}
		stacking, fill := "none", 5
		if p.Stacked {
			stacking, fill = "normal", 40
		}
		defaults["custom"] = map[string]any{
			"drawStyle": "line", "lineWidth": 1, "fillOpacity": fill, "showPoints": "never",
			"stacking": map[string]any{"mode": stacking, "group": "A"},
		}
	}
	out["fieldConfig"] = map[string]any{"defaults": defaults, "overrides": []any{}}
	return out
}
