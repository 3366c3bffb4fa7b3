package sandbox

import "net/http"

// authorize and token belong to the authorization server.
func (r *run) authorize(request) answer { return answer{status: http.StatusNotImplemented} }

func (r *run) token(request) answer { return answer{status: http.StatusNotImplemented} }
