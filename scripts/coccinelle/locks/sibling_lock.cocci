// SPDX-License-Identifier: GPL-2.0-only
/// Find loops that write to one object after another, each time under the
/// lock of an object of the same type that stays the same.  Such a lock does
/// not exclude those who take the lock of the object that is written.
///
//# This is what one gets when the loop has a cursor of its own, but the lock
//# is taken with the name that the rest of the function uses.  False positives
//# are due to objects whose fields are protected by the lock of a leader, such
//# as a parent or the head of a list.  A lock that is taken once, around the
//# whole loop, usually is one of these and is not considered.
///
// Confidence: Moderate
// Comments:
// Options: --no-includes --include-headers

virtual context
virtual org
virtual report

@initialize:python@
@@
import re

def member_of(path, obj):
    """Is it in the object itself, not in something that a field points to?"""
    path = path.lstrip("&( ")
    if not path.startswith(obj + " "):
        return False
    return re.sub(r"\[.*?\]", "", path[len(obj):]).count("->") <= 1

def plain(expression):
    return re.sub(r" ?(->|\.|\[|\]) ?|^(&) ", r"\1\2", expression)

// Lets spatch skip the files that take none of these locks.

@locks@
@@

\( spin_lock \| spin_lock_bh \| spin_lock_irq \| spin_lock_irqsave \| raw_spin_lock \|
   raw_spin_lock_irq \| raw_spin_lock_irqsave \| read_lock \| write_lock \| write_lock_bh \|
   write_lock_irq \| write_lock_irqsave \| mutex_lock \| down_write \| guard \)(...)

@scopes@
iterator name scoped_guard;
statement S;
@@

scoped_guard(...) S

// The lock of one object is held where another object of the same type is
// written.  The rarer alternative comes first: spatch makes the second one
// depend on the absence of the first, and is very slow the other way round.

@held depends on (locks || scopes) exists@
type T;
T *a;
T *b;
expression A, B, L, W, e;
identifier f, l, class;
identifier lk =~ "^((raw_)?(spin|read|write)_lock(_bh|_irq|_irqsave)?|mutex_lock|down_(read|write))(_nested)?$";
identifier ulk =~ "^((raw_)?(spin|read|write)_unlock|mutex_unlock|up_(read|write))";
iterator name scoped_guard;
assignment operator aop;
position pl, pw;
@@

(
scoped_guard@pl(class, \(L \& <+... a@A->l ...+>\)) {
... when any
\( \(W@pw aop e \| W@pw++ \| W@pw-- \| ++W@pw \| --W@pw \|
     WRITE_ONCE(W@pw, e) \| smp_store_release(W@pw, e)\) \& <+... b@B->f ...+> \)
... when any
}
|
\( lk@pl(\(L \& <+... a@A->l ...+>\), ...) \| guard@pl(class)(\(L \& <+... a@A->l ...+>\)) \);
... when any
    when != ulk(L, ...)
\( \(W@pw aop e \| W@pw++ \| W@pw-- \| ++W@pw \| --W@pw \|
     WRITE_ONCE(W@pw, e) \| smp_store_release(W@pw, e)\) \& <+... b@B->f ...+> \)
)

@script:python@
A << held.A;
B << held.B;
L << held.L;
W << held.W;
pl << held.pl;
pw << held.pw;
@@
if (A == B or not member_of(L, A) or not member_of(W, B)
    or int(pw[0].line) < int(pl[0].line)):
    cocci.include_match(False)

// The lock of the same object is taken again ...

@kept exists@
expression x <= held.A;
expression e;
identifier lk, class;
position held.pl;
assignment operator aop;
iterator name scoped_guard;
statement S;
position p;
@@

(
lk@pl@p(...);
|
guard@pl@p(class)(...);
|
scoped_guard@pl@p(class, ...) S
)
... when any
    when != \( x aop e \| x++ \| x-- \| &x \)
(
lk@pl(...);
|
guard@pl(class)(...);
|
scoped_guard@pl(class, ...) S
)

// (not if the loop goes through the objects with the lock, and writes a peer)

@walked exists@
expression held.A, held.W;
iterator I;
position held.pw;
position p;
@@

I(..., A, ...) {
... when any
W@pw@p
... when any
}

// ... for the write to another one: the loop assigns what the write depends on,
// or is an iterator for it.

@again depends on kept exists@
idexpression v <= held.W;
expression held.W, e;
identifier lk, class;
position held.pl, held.pw;
assignment operator aop;
iterator name scoped_guard;
statement S;
position p;
@@

(
lk@pl@p(...);
|
guard@pl@p(class)(...);
|
scoped_guard@pl@p(class, ...) S
)
... when any
\( v aop e \| v++ \| v-- \)
... when any
    when != W@pw
(
lk@pl(...);
|
guard@pl(class)(...);
|
scoped_guard@pl(class, ...) S
)

@iterated depends on kept exists@
idexpression v <= held.W;
expression held.W;
identifier lk, class;
iterator I;
position held.pl, held.pw;
iterator name scoped_guard;
position p;
@@

I(..., v, ...) {
... when any
(
\( lk@pl(...) \| guard@pl(class)(...) \);
... when any
W@pw@p
|
scoped_guard@pl(class, ...) {
... when any
W@pw@p
... when any
}
)
... when any
}

// The lock of the written object is held as well, whatever the name of the
// function that takes it.

@own exists@
expression held.B, held.W;
identifier lk =~ "(^|_)(try)?lock(_|$)|^down_|^lockdep_assert_held";
identifier ulk =~ "unlock|^up_";
identifier class;
position held.pw;
position p;
@@

\( lk(<+... B ...+>, ...) \| guard(class)(<+... B ...+>) \)
... when any
    when != ulk(<+... B ...+>, ...)
W@pw@p

@own_scope exists@
expression held.B, held.W;
identifier class;
iterator name scoped_guard;
position held.pw;
position p;
@@

scoped_guard(class, <+... B ...+>) {
... when any
W@pw@p
... when any
}

// Both names may stand for the same object.

@alias exists@
expression held.A, held.B, held.W;
position held.pw;
position p;
@@

\( A = B \| B = A \)
... when any
W@pw@p

// ----------------------------------------------------------------------

@depends on context && !walked && !own && !own_scope && !alias && (again || iterated)@
expression held.W;
position held.pw;
@@

* W@pw

@script:python depends on org && !walked && !own && !own_scope && !alias && (again || iterated)@
L << held.L;
W << held.W;
pl << held.pl;
pw << held.pw;
@@

cocci.print_main("%s is written under %s" % (plain(W), plain(L)), pw)
cocci.print_secs("lock", pl)

@script:python depends on report && !walked && !own && !own_scope && !alias && (again || iterated)@
L << held.L;
W << held.W;
pl << held.pl;
pw << held.pw;
@@

msg = "WARNING: %s is written under the lock of another object, %s, taken on line %s" % (plain(W), plain(L), pl[0].line)
coccilib.report.print_report(pw[0], msg)
