package clock

// An Option is given to [NewVirtual].
type Option interface{ apply(*Virtual) }

type option func(*Virtual)

func (o option) apply(v *Virtual) { o(v) }

// Limit sets how many events one drive may run, that is one call of Advance,
// AdvanceTo, Step or Run, and how many turns workers may have at one instant. A
// drive that would run more panics, with a list of what is scheduled: so functions
// that schedule one another without end are found. Default: 20,000,000. Limit panics
// if n < 1.
func Limit(n int) Option {
	if n < 1 {
		panic("clock: Limit below 1: a drive must be allowed to run something")
	}
	return option(func(v *Virtual) { v.limit = n })
}

// Birthplaces makes a Virtual record where CallLater was called, and where the
// workers of its reactors were started, for String and for reports. Default:
// they are not recorded. It costs about a microsecond and 250 bytes a call.
func Birthplaces() Option {
	return option(func(v *Virtual) { v.births = true })
}
