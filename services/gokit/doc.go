// Package gokit is what a Go service of the shop gets for free: the habits that services/kit has in Python, reached
// with Go's own libraries. A service's main calls [Main] with a [Service]; package events is for those that consume.
package gokit
