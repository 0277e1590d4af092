// What kvm_riscv_vcpu_sbi_system_reset(), with the functions that it calls, does
// about mp_state_lock: for each write of an mp_state, is that vCPU's own lock held
// on every path, on none, or is that more than these rules can tell? Used by
// bin/triage, which gives it the files of arch/riscv/kvm that mention mp_state.
//
// First each way of locking, unlocking and writing becomes one of three calls that
// keep the line: mp_state_lock(vcpu, line_N), mp_state_unlock(), mp_state_write().
// The rules for paths then need to know only these.
//
// Prints "verdict<TAB>file:line: why".

@initialize:python@
has_lock << virtual.has_lock;
@@
mentions_lock = has_lock == "yes"
RESET = "kvm_riscv_vcpu_sbi_system_reset"
where = {}      # line_N -> file:N
writes = {}     # function -> {line of the write: written vCPU}
callees = {}    # function -> names of the functions it calls
params = {}     # function -> its vCPUs that are parameters or copies of one
assigned = {}   # function -> variables that get a value in it
lockers = set() # functions in which an mp_state_lock is taken or released
unclear = {}    # function -> where it does something that no rule knows
passed = {}     # function -> functions that get a vCPU whose state it writes
moved = set()   # (function, vCPU) where the variable changes other than by "="
compared = {}   # function -> vCPUs that it compares with another one
calls = {}      # (function, callee, first argument) -> line
mentions = {}   # function -> where it mentions mp_state or mp_state_lock
known = set()   # those that the rules have a form for
fact = {}       # name of a fact -> {(function, line of the write): the other vCPU}

def line(position):
    name = "line_%d" % len(where)
    path = position[0].file
    where[name] = "%s:%s" % (path[path.rfind("arch/riscv/kvm/"):], position[0].line)
    return name

def found(name, function, at, what=None):
    fact.setdefault(name, {})[function, at] = what

// The lines, while they still are what they are in the file

@reset@
position p;
@@
kvm_riscv_vcpu_sbi_system_reset@p(...) { ... }

@script:python@
p << reset.p;
@@
where[RESET] = where[line(p)]

@call@
identifier g;
expression T;
position p;
@@
g@p(T, ...)

@script:python@
g << call.g;
T << call.T;
p << call.p;
@@
calls.setdefault((p[0].current_element, g, T), line(p))

@mention@
expression X;
position p;
@@
(
 X->mp_state_lock@p
|
 X.mp_state_lock@p
|
 X->mp_state@p
|
 X.mp_state@p
)

@script:python@
p << mention.p;
@@
mentions.setdefault(p[0].current_element, []).append(where[line(p)])

// One form for each lock, unlock and write

@point@
expression T, value;
identifier class;
position p;
@@
(
 \( spin_lock \| spin_lock_irq \| spin_lock_bh \| raw_spin_lock \)(&T->arch.mp_state_lock)@p
|
 \( spin_lock_irqsave \| spin_lock_nested \| raw_spin_lock_irqsave \)(&T->arch.mp_state_lock, ...)@p
|
 \( spin_unlock \| spin_unlock_irq \| spin_unlock_bh \| raw_spin_unlock \)(&T->arch.mp_state_lock)@p
|
 \( spin_unlock_irqrestore \| raw_spin_unlock_irqrestore \)(&T->arch.mp_state_lock, ...)@p
|
 guard(class)(&T->arch.mp_state_lock)@p
|
 lockdep_assert_held(&T->arch.mp_state_lock)@p
|
 kvm_riscv_set_mp_state(&T->arch, value)@p
|
 \( WRITE_ONCE \| xchg \| smp_store_release \)(\( T->arch.mp_state.mp_state \| T->arch.mp_state \| &T->arch.mp_state.mp_state \), value)@p
|
 T->arch.mp_state.mp_state =@p value
|
 T->arch.mp_state =@p value
)

@script:python point_at@
p << point.p;
at;
@@
coccinelle.at = line(p)
known.add(where[coccinelle.at])

@@
expression T, value;
identifier class, point_at.at;
position point.p;
@@
(
- \( spin_lock \| spin_lock_irq \| spin_lock_bh \| raw_spin_lock \)(&T->arch.mp_state_lock)@p
+ mp_state_lock(T, at)
|
- \( spin_lock_irqsave \| spin_lock_nested \| raw_spin_lock_irqsave \)(&T->arch.mp_state_lock, ...)@p
+ mp_state_lock(T, at)
|
- \( spin_unlock \| spin_unlock_irq \| spin_unlock_bh \| raw_spin_unlock \)(&T->arch.mp_state_lock)@p
+ mp_state_unlock(T, at)
|
- \( spin_unlock_irqrestore \| raw_spin_unlock_irqrestore \)(&T->arch.mp_state_lock, ...)@p
+ mp_state_unlock(T, at)
|
- guard(class)(&T->arch.mp_state_lock)@p
+ mp_state_guard(T, at)
|
- lockdep_assert_held(&T->arch.mp_state_lock)@p
+ mp_state_assert(T, at)
|
- kvm_riscv_set_mp_state(&T->arch, value)@p
+ mp_state_write(T, at)
|
- \( WRITE_ONCE \| xchg \| smp_store_release \)(\( T->arch.mp_state.mp_state \| T->arch.mp_state \| &T->arch.mp_state.mp_state \), value)@p
+ mp_state_write(T, at)
|
- T->arch.mp_state.mp_state =@p value
+ mp_state_write(T, at)
|
- T->arch.mp_state =@p value
+ mp_state_write(T, at)
)

// A guard is a lock now and an unlock at the end of the block (linux/cleanup.h).

@@
iterator name scoped_guard;
expression T;
identifier class;
statement S;
@@
- scoped_guard(class, &T->arch.mp_state_lock) S
+ { mp_state_lock(T, line_scope); S mp_state_unlock(T, line_scope); }

@@
expression T;
identifier at;
@@
{ ... when any
- mp_state_guard(T, at);
+ mp_state_lock(T, at);
... when any
+ mp_state_unlock(T, at);
}

// What is left is something else: a trylock, a pointer to a lock or to a state.

@odd@
expression X;
position p;
@@
(
 X->mp_state_lock@p
|
 X.mp_state_lock@p
|
 mp_state_guard@p(...)
|
 &X->arch.mp_state@p
|
 &X->arch.mp_state.mp_state@p
|
 &X->mp_state@p
|
 X->mp_state.mp_state =@p X
|
 WRITE_ONCE(X->mp_state.mp_state, ...)@p
)

@script:python@
p << odd.p;
@@
f = p[0].current_element
unclear[f] = min(set(mentions.get(f, [])) - known or mentions.get(f, [f]))

@locker@
position p;
@@
\( mp_state_lock@p(...) \| mp_state_unlock@p(...) \)

@script:python@
p << locker.p;
@@
lockers.add(p[0].current_element)

// A function that writes the state of its vCPU and leaves the lock to its caller,
// such as __kvm_riscv_vcpu_power_off(), is a write where it is called.

@helper@
identifier f, P, at;
@@
f(struct kvm_vcpu *P, ...) { <+... mp_state_write(P, at) ...+> }

@script:python lockless@
f << helper.f;
bare;
@@
if f in lockers or f in unclear or f == RESET:
    cocci.include_match(False)
else:
    coccinelle.bare = f

@helped@
identifier lockless.bare;
expression T;
position p;
@@
bare(T, ...)@p

@script:python helped_at@
bare << lockless.bare;
T << helped.T;
p << helped.p;
at;
@@
coccinelle.at = calls[p[0].current_element, bare, T]

@@
identifier lockless.bare, helped_at.at;
expression helped.T;
position helped.p;
@@
- bare(T, ...)@p
+ mp_state_write(T, at)

// Each write, and what is done about the lock on the paths to it and from it

@w exists@
identifier f, at;
expression T;
@@
f(...) { ... when any
 mp_state_write(T, at)
 ... when any
}

@script:python@
f << w.f;
at << w.at;
T << w.T;
bare << lockless.bare = "";
@@
if f != bare:
    writes.setdefault(f, {})[at] = T

@script:python@
bare << lockless.bare;
@@
writes.pop(bare, None)

@from_entry exists@
position q;
identifier w.f, w.at;
expression w.T;
@@
f(...) { ... when != mp_state_lock(T, ...)
 mp_state_write@q(T, at)
 ... when any
}

@script:python@
f << w.f;
q << from_entry.q;
at << w.at;
@@
found("unlocked", f, at)

@from_unlock exists@
position q;
identifier w.f, w.at;
expression w.T;
@@
f(...) { ... when any
 mp_state_unlock(T, ...)
 ... when != mp_state_lock(T, ...)
 mp_state_write@q(T, at)
 ... when any
}

@script:python@
f << w.f;
q << from_unlock.q;
at << w.at;
@@
found("unlocked", f, at)

@from_assignment exists@
position q;
identifier w.f, w.at;
expression w.T, value;
@@
f(...) { ... when any
 T = value
 ... when != mp_state_lock(T, ...)
 mp_state_write@q(T, at)
 ... when any
}

@script:python@
f << w.f;
q << from_assignment.q;
at << w.at;
@@
found("unlocked", f, at)

@from_iterator exists@
position q;
identifier w.f, w.at;
expression w.T;
iterator each;
@@
f(...) { ... when any
 each(..., T, ...) {
  ... when != mp_state_lock(T, ...)
  mp_state_write@q(T, at)
  ... when any
 }
 ... when any
}

@script:python@
f << w.f;
q << from_iterator.q;
at << w.at;
@@
found("unlocked", f, at)

@own exists@
position q;
identifier w.f, w.at;
expression w.T, value;
@@
f(...) { ... when any
 mp_state_lock(T, ...)
 ... when != mp_state_unlock(T, ...)
     when != T = value
 mp_state_write@q(T, at)
 ... when any
}

@script:python@
f << w.f;
q << own.q;
at << w.at;
@@
found("locked", f, at)

@other exists@
position q;
identifier w.f, w.at;
expression w.T, V;
@@
f(...) { ... when any
 mp_state_lock(V, ...)
 ... when != mp_state_unlock(V, ...)
 mp_state_write@q(T, at)
 ... when any
}

@script:python@
f << w.f;
q << other.q;
at << w.at;
T << w.T;
V << other.V;
@@
if V != T:
    found("other", f, at, V)

@kept exists@
position q;
identifier w.f, w.at;
expression w.T;
@@
f(...) { ... when any
 mp_state_write@q(T, at)
 ... when != mp_state_unlock(T, ...)
}

@script:python@
f << w.f;
q << kept.q;
at << w.at;
@@
found("kept", f, at)

@other_unlock exists@
position q;
identifier w.f, w.at;
expression w.T, V;
@@
f(...) { ... when any
 mp_state_write@q(T, at)
 ... when != mp_state_unlock(T, ...)
 mp_state_unlock(V, ...)
 ... when any
}

@script:python@
f << w.f;
q << other_unlock.q;
at << w.at;
T << w.T;
V << other_unlock.V;
@@
if V != T:
    found("other unlock", f, at, V)

@moved@
identifier w.f;
expression w.T, step;
position q;
@@
f(...) { <...
(
 &T@q
|
 T@q++
|
 ++T@q
|
 T@q--
|
 --T@q
|
 T@q += step
)
...> }

@script:python@
f << w.f;
T << w.T;
q << moved.q;
@@
moved.add((f, T))

// Whether two names can be the same vCPU

@argument@
identifier w.f, P;
@@
f(..., struct kvm_vcpu *P, ...) { ... }

@script:python@
f << w.f;
P << argument.P;
@@
params.setdefault(f, set()).add(P)

@copy@
identifier w.f, argument.P, V;
@@
f(...) { <...
 struct kvm_vcpu *V = P;
...> }

@script:python@
f << w.f;
V << copy.V;
@@
params.setdefault(f, set()).add(V)

@given@
identifier w.f, V;
expression value;
@@
f(...) { <...
(
 V = value
|
 V++
|
 V--
|
 ++V
|
 --V
|
 &V
)
...> }

@script:python@
f << w.f;
V << given.V;
@@
assigned.setdefault(f, set()).add(V)

@iterated exists@
identifier w.f, V;
iterator each;
statement S;
@@
f(...) { ... when any
 each(..., V, ...) S
 ... when any
}

@script:python@
f << w.f;
V << iterated.V;
@@
assigned.setdefault(f, set()).add(V)

@comparison@
identifier w.f;
expression w.T, V;
position q;
@@
f(...) { <...
\( T ==@q V \| T !=@q V \| V ==@q T \| V !=@q T \)
...> }

@script:python@
f << w.f;
T << w.T;
q << comparison.q;
@@
compared.setdefault(f, set()).add(T)

// Who calls whom

@caller@
identifier g;
position p;
@@
g@p(...)

@script:python@
g << caller.g;
p << caller.p;
@@
callees.setdefault(p[0].current_element, set()).add(g)

@handed@
identifier w.f, g;
expression w.T;
@@
f(...) { <...
 g(..., T, ...)
...> }

@script:python@
f << w.f;
g << handed.g;
@@
passed.setdefault(f, set()).add(g)

@finalize:python@
@@
import re
# locks of other kinds, which cannot be an mp_state_lock
LOCKS = re.compile(r"(raw_)?(spin|read|write|mutex|rcu_read|srcu_read)_(un)?lock(_irq|_bh|_irqsave|_irqrestore|_nested)?$")
KNOWN = {"mp_state_lock", "mp_state_unlock", "mp_state_write", "kvm_make_request", "kvm_vcpu_kick", "kvm_vcpu_wake_up"}

def same_each_time(f, vcpu):
    return vcpu in params.get(f, ()) and vcpu not in assigned.get(f, ())

def differs(f, vcpu):
    return vcpu in assigned.get(f, ()) or "(" in vcpu

def judge(f, at, vcpu):
    """The verdict on one write, and why."""
    has = lambda name: (f, at) in fact.get(name, {})
    what = lambda name: fact[name][f, at]
    write = "%s: mp_state of '%s' is written " % (where[at], vcpu)
    if (f, vcpu) in moved:
        return "unknown", write + "and the variable changes in a way that is not followed"
    if f in unclear:
        return "unknown", "%s: mp_state or mp_state_lock is used in a way that is not understood" % unclear[f]
    foreign = lambda name: (has(name) and same_each_time(f, what(name)) and differs(f, vcpu)
                            and vcpu not in compared.get(f, ()))
    if not has("unlocked"):
        if not has("kept"):
            return "fixed", write + "under its own mp_state_lock"
        if foreign("other unlock"):
            return "vulnerable", write + "under its own mp_state_lock, but that of '%s' is released" % what("other unlock")
        return "unknown", write + "under its own mp_state_lock, which may not be released"
    if has("locked"):
        return "unknown", write + "under its own mp_state_lock on some paths"
    others = passed.get(f, set()) - KNOWN
    others |= {g for g in reachable(f, [])[1:] if g in lockers or g in unclear}
    others |= {g for g in callees.get(f, ()) if "lock" in g.lower() and not LOCKS.match(g) and g not in KNOWN}
    if others:
        return "unknown", write + "and %s() may have a part in it" % min(others)
    if foreign("other"):
        return "vulnerable", write + "under the mp_state_lock of '%s'" % what("other")
    if not has("other") and (f == RESET or differs(f, vcpu)):
        return "vulnerable", write + "under no mp_state_lock"
    return "unknown", write + "under a lock that may or may not be its own"

def reachable(f, seen):
    if f not in seen:
        seen.append(f)
        for g in sorted(callees.get(f, ())):
            reachable(g, seen)
    return seen

if RESET not in where:
    print("unknown\tno %s() is seen" % RESET)
elif not mentions_lock:
    others = {g for f in reachable(RESET, []) for g in callees.get(f, ()) if "lock" in g or "guard" in g}
    if others:
        print("unknown\t%s: there is no mp_state_lock, but %s()" % (where[RESET], min(others)))
    else:
        print("not affected\t%s: there is no mp_state_lock (it came with v6.10)" % where[RESET])
else:
    verdicts = [judge(f, at, vcpu) for f in reachable(RESET, []) for at, vcpu in sorted(writes.get(f, {}).items())]
    for worst in "vulnerable", "unknown", "fixed":
        for verdict, why in verdicts:
            if verdict == worst:
                print("%s\t%s" % (verdict, why))
                break
        else:
            continue
        break
    else:
        print("unknown\t%s: no write of mp_state is seen in %s()" % (where[RESET], RESET))
