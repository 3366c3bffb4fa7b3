package php

import (
	"errors"
	"math"
	"strconv"
	"strings"
)

// Numeric is PHP's is_numeric with its (int) cast: a number, or a text that
// writes one, with white space around it and a fraction that is cut off.
func Numeric(v any) (int64, bool) {
	switch v := v.(type) {
	case int64:
		return v, true
	case float64:
		return integer(v), true
	case string:
		s := strings.Trim(v, " \t\n\r\v\f")
		if n, err := strconv.ParseInt(s, 10, 64); err == nil || errors.Is(err, strconv.ErrRange) {
			return n, true // beyond 64 bits the nearest
		}
		if s == "" || strings.Trim(s, "0123456789+-.eE") != "" {
			return 0, false // Go would also read hexadecimal, underscores, Inf
		}
		f, err := strconv.ParseFloat(s, 64)
		return integer(f), err == nil || errors.Is(err, strconv.ErrRange)
	}
	return 0, false
}

// integer cuts a float's fraction off; one that does not fit is 0.
func integer(f float64) int64 {
	if math.Abs(f) >= 1<<63 {
		return 0
	}
	return int64(f)
}
