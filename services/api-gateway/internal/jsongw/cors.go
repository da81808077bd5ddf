package jsongw

import (
	"net/http"
	"slices"
	"strings"
)

// The methods that pages of allowed origins may use.
var corsMethods = []string{http.MethodGet, http.MethodPost, http.MethodHead}

// cors lets pages of some origins read answers, without credentials. A preflight
// is answered here, whatever its path; of an origin that is not allowed it is
// answered without permission.
func cors(next http.Handler, origins []string) http.Handler {
	all := slices.Contains(origins, "*")
	allowed := func(origin string) bool {
		return origin != "" && (all || slices.ContainsFunc(origins, func(o string) bool { return matches(o, origin) }))
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		origin, header := r.Header.Get("Origin"), w.Header()
		preflight := r.Method == http.MethodOptions && r.Header.Get("Access-Control-Request-Method") != ""
		header.Add("Vary", "Origin")
		if allowed(origin) {
			allow := origin
			if all {
				allow = "*"
			}
			if !preflight || slices.Contains(corsMethods, r.Header.Get("Access-Control-Request-Method")) {
				header.Set("Access-Control-Allow-Origin", allow)
			}
			if preflight {
				permit(header, r)
			}
		}
		if preflight {
			header.Add("Vary", "Access-Control-Request-Method")
			header.Add("Vary", "Access-Control-Request-Headers")
			w.WriteHeader(http.StatusNoContent)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// simple are headers that a page may send.
var simple = []string{"accept", "content-type", "x-requested-with"}

// permit answers what a preflight asks for.
func permit(header http.Header, r *http.Request) {
	if method := r.Header.Get("Access-Control-Request-Method"); slices.Contains(corsMethods, method) {
		header.Set("Access-Control-Allow-Methods", method)
	}
	asked := r.Header.Get("Access-Control-Request-Headers")
	for name := range strings.SplitSeq(asked, ",") {
		if !slices.Contains(simple, strings.ToLower(strings.TrimSpace(name))) {
			return
		}
	}
	if asked != "" {
		header.Set("Access-Control-Allow-Headers", asked)
	}
}

// matches compares an origin with one that is allowed, which may have one "*".
func matches(pattern, origin string) bool {
	pattern, origin = strings.ToLower(pattern), strings.ToLower(origin)
	before, after, wild := strings.Cut(pattern, "*")
	if !wild {
		return pattern != "" && pattern == origin
	}
	return len(origin) >= len(before)+len(after) && strings.HasPrefix(origin, before) && strings.HasSuffix(origin, after)
}
