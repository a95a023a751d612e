package gokit

import (
	"context"
	"regexp"
	"strconv"
	"strings"
	"time"

	"google.golang.org/grpc/codes"
)

const knownFaults = "fail=N, code=STATUS, delay=2s, hang, when=after, method=, pod=, version="

var faultDuration = regexp.MustCompile(`^\d+(\.\d+)?(ms|s)$`)

// fault is what a header of a call asks for in development: `x-fault-<service>: fail=2;method=Charge`. The language is
// that of services/kit/fault.py, which says what each word means.
type fault struct {
	header               string
	fails                int
	code                 codes.Code
	delay                time.Duration
	hang, after          bool
	method, pod, version string
}

// chosenFault is nil when none is meant for this replica and method. A fault that is misspelt must not pass for a
// service that is well: it is an error.
func chosenFault(call *Call, settings Settings, method string) (*fault, error) {
	header := faultPrefix + settings.Service
	text := call.Header(header)
	if text == "" {
		return nil, nil
	}
	found := &fault{header: header}
	for word := range strings.SplitSeq(text, ";") {
		if word = strings.TrimSpace(word); word == "" {
			continue
		}
		key, value, _ := strings.Cut(word, "=")
		if !found.set(key, value) {
			return nil, InvalidRequest(Violation{header, "does not understand " + word + "; knows " + knownFaults})
		}
	}
	mine := anyOf(found.method, method) && anyOf(found.pod, settings.Pod) && anyOf(found.version, settings.Version)
	if !mine {
		return nil, nil
	}
	return found, nil
}

func anyOf(wanted, have string) bool { return wanted == "" || wanted == have }

func (f *fault) set(key, value string) bool {
	var err error
	switch key {
	case "fail":
		f.fails, err = strconv.Atoi(value)
	case "code":
		err = f.code.UnmarshalJSON([]byte(strconv.Quote(value)))
	case "delay":
		if !faultDuration.MatchString(value) {
			return false
		}
		f.delay, err = time.ParseDuration(value)
	case "hang":
		f.hang = true
		return value == ""
	case "when":
		f.after = value == "after"
		return value == "before" || value == "after"
	case "method":
		f.method = value
	case "pod":
		f.pod = value
	case "version":
		f.version = value
	default:
		return false
	}
	return err == nil && value != ""
}

// carryOut waits and fails as asked; one that hangs does so until the call ends.
func (f *fault) carryOut(ctx context.Context, attempt string) error {
	if f == nil {
		return nil
	}
	if err := pause(ctx, f.delay); err != nil {
		return err
	}
	if f.hang {
		<-ctx.Done()
		return ctx.Err()
	}
	tried, _ := strconv.Atoi(attempt)
	code := f.code
	if max(tried, 1) <= f.fails && code == codes.OK {
		code = codes.Unavailable
	}
	if code == codes.OK {
		return nil
	}
	return &Error{
		Code: code, Reason: "ERROR_REASON_FAULT", Message: f.header + " asked for " + codeName(code),
		Metadata: map[string]string{"header": f.header},
	}
}

func pause(ctx context.Context, how time.Duration) error {
	if how <= 0 {
		return nil
	}
	timer := time.NewTimer(how)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
