//go:build !unix

package signin

const nonBlocking = 0
