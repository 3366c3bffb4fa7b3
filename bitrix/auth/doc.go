// Package auth keeps an application's token pair: it gets the first one,
// renews it where the portal calls it expired, and stores each new pair before
// it is used.
package auth
