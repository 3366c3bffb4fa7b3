package main

import (
	"context"
	"errors"
	"log/slog"

	"syncsources/bitrix"
	"syncsources/bitrix/rest"
	"syncsources/cmd/syncsources/exit"
	"syncsources/cmd/syncsources/signin"
)

// signinConfig is what credentials need of this process.
func (a *app) signinConfig(logger *slog.Logger) signin.Config {
	return signin.Config{Env: a.env, Transport: a.transport, UserAgent: userAgent(), Logger: logger}
}

// reader is a client for the few calls that login and status make.
func (a *app) reader(logger *slog.Logger) func(bitrix.Credentials) *bitrix.Reader {
	return func(c bitrix.Credentials) *bitrix.Reader {
		return bitrix.NewReader(bitrix.Config{Credentials: c, Transport: a.transport, Logger: logger, UserAgent: userAgent()})
	}
}

// signinFailure makes a failure of what is wrong with credentials.
func signinFailure(ctx context.Context, err error) *exit.Failure {
	var f *exit.Failure
	var s *signin.Error
	var e *rest.Error
	switch known := errors.As(err, &s); {
	case errors.As(err, &f):
		return f
	case ctx.Err() != nil:
		return tooLate(ctx)
	case known:
		f = exit.Refuse(exit.CodeCredentials, s.Message, s.Hints...)
		if s.Stopped {
			f.Exit = exit.Stopped
		}
	case errors.As(err, &e):
		f = &exit.Failure{Exit: exit.Stopped, Message: e.Error()}
	default:
		return &exit.Failure{Exit: exit.Stopped, Code: exit.CodeCredentials, Message: err.Error()}
	}
	if errors.As(err, &e) {
		if f.Exit == exit.Stopped {
			f.Code = string(e.Code)
		}
		if hint := hintOf(e); hint != "" {
			f.Hints = append(f.Hints, hint)
		}
	}
	return f
}
