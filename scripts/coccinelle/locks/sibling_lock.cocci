// SPDX-License-Identifier: GPL-2.0-only
/// Find loops that write to one object after another while holding the lock
/// of a different object of the same type, the same lock in each iteration.
/// That lock does not exclude code that takes the lock of the object being
/// written.
///
//# Usually the loop has a cursor of its own, but takes the lock through the
//# variable that the rest of the function uses.
//# False positives: fields protected by the lock of a leader, such as a parent;
//# atomic operations that need no lock; an object whose own lock the caller
//# holds; a write after the end of the block that a guard() is in.
//# Not reported:
//# - a loop inside the critical section, or over a list whose head is in the
//#   locked object: that object is usually a leader;
//# - a loop, other than by an iterator, that always ends after the write;
//# - nested iterators, if the outer one moves the locked object;
//# - objects whose type cannot be seen in the file;
//# - a lock taken through a pointer to it, or by scoped_cond_guard(), which
//#   spatch cannot parse;
//# - locks taken and released only by functions from elsewhere;
//# - writes by functions not named below, or to a whole object;
//# - an object that is passed to a function whose name says that it locks it,
//#   or that comes from one whose name says that it locks or allocates it.
///
// Confidence: Moderate
// Options: --no-includes --include-headers

virtual context
virtual org
virtual report

@initialize:python@
@@
import re
named = lambda pattern: lambda name: bool(re.search(pattern, name))

# Functions that take a lock, and those that release one.
takes = named(r"^(?!.*_(init|prefetch))((raw_)?(spin|read|write)_(try)?lock|(rt_|ww_)?mutex_(try)?lock"
              r"|down(_(interruptible|killable|trylock|timeout))?$|(percpu_)?down_(read|write)"
              r"|(read|write)_seqlock|bit_spin_(try)?lock|.*_dec_and_(mutex_)?lock"
              r"|(.*_)?lock$|(.*_)?LOCK(_|$))")
releases = named(r"(?i)unlock|(^|_)up(_read|_write)?$|(^|_)release(_|$)")
# A function that locks its argument, and one that returns an object of our own.
locks = named(r"(?i)^(?!.*(print|dump|show)).*(^|_)(bit_spin_|seq|try)?lock(_(?!dep)|\d|$)|seqlock|(^|_)down(_|$)|assert_held"
              r"|^(?!smp_|atomic|refcount|cmpxchg).*(^|_)(acquire|enter|begin|freeze|grab)(_|$)")
gives = named(r"(?<![a-z])(try)?lock|alloc|new|create|clone|dup|_objs?$")
# Functions that write to their first argument, and to what any &argument is.
writes = named(r"^(WRITE_ONCE|smp_store_\w+|rcu_assign_pointer|RCU_INIT_POINTER|swap"
               r"|(try_)?(cmp)?xchg(_\w+)?|atomic\w*_(set|xchg|cmpxchg)(_\w+)?|refcount_set"
               r"|mem(set|cpy|move)(_\w+)?|str\w*(cpy|cat)(_pad)?|INIT_H?LIST_HEAD"
               r"|bitmap_(zero|set|clear|fill|copy|x?or|and|andnot)|cpumask_(copy|clear|setall))$")
writes_to = named(r"^((__|test_and_)*(set|clear|change|assign)_bit(_unlock|_lock)?|(__)?h?list_(add|del"
                  r"|move|splice|replace|rotate|swap|cut)\w*|llist_(add|del)\w*|rb_(link_node|erase"
                  r"|insert|replace)\w*|(__)?cpumask_(test_and_)?(set|clear)_cpu"
                  r"|atomic\w*_(add|sub|or|and|xor|andnot))$")
# In the object itself, not in something that a field points to.
def member_of(path, obj):
    path = path.lstrip("&( ")
    rest = path[len(obj):].lstrip(" )")
    return (path.startswith(obj) and rest[:1] in ("-", ".")
            and re.sub(r"\[.*?\]", "", rest).count("->") <= 1)
def plain(expression):
    return re.sub(r" ?(->|\.|\[|\]) ?|^(&) ", r"\1\2", expression)

// Lets spatch skip files that release no lock.  There are fewer functions for
// that than for taking one, and spatch is slow with many alternatives.
@common@
@@
\( spin_unlock \| spin_unlock_bh \| spin_unlock_irq \| spin_unlock_irqrestore \| mutex_unlock \|
   raw_spin_unlock \| raw_spin_unlock_irqrestore \| up_read \| up_write \| write_unlock \)(...);

@rare depends on !common@
@@
\( raw_spin_unlock_bh \| raw_spin_unlock_irq \| read_unlock \| read_unlock_bh \|
   read_unlock_irq \| read_unlock_irqrestore \| write_unlock_bh \| write_unlock_irq \|
   write_unlock_irqrestore \| up \| percpu_up_read \| percpu_up_write \| write_sequnlock \|
   write_sequnlock_bh \| write_sequnlock_irq \| write_sequnlock_irqrestore \| bit_spin_unlock \|
   read_sequnlock_excl \| rt_mutex_unlock \| ww_mutex_unlock \| guard \| CLASS \| ACQUIRE \)(...)

@scopes depends on !common && !rare@
iterator name scoped_guard;
statement S;
@@
scoped_guard(...) S

@macros depends on !common && !rare && !scopes@
identifier m;
@@
#define m(...) <+... \( spin_unlock \| spin_unlock_irqrestore \| mutex_unlock \)(...) ...+>

// Locks that are taken in a loop.
@call depends on (common || rare || scopes || macros) exists@
identifier lk : script:python() { takes(lk) };
identifier class;
expression L;
iterator I;
iterator name scoped_guard;
position p;
@@
(
scoped_guard(class, L@p) { ... }
|
I(...) { ... when any
lk(..., L@p, ...)
... when any
}
|
\( lk(..., L@p, ...) \| guard(class)(L@p) \| CLASS(class, ...)(L@p) \| ACQUIRE(class, ...)(L@p) \)
... when any
L@p
)

// The lock of one object is held at a write to another object of the same type.
@held depends on call disable ptr_to_array, fld_to_ptr exists@
type T;
T *a; T *b; T s; T t;
expression A, B, L, W, e;
identifier f, l;
identifier unlock : script:python() { releases(unlock) };
identifier write : script:python() { writes(write) };
identifier write_to : script:python() { writes_to(write_to) };
assignment operator aop;
position call.p;
position pl;
position pw;
@@
\(L@p@pl \& <+... \( a@A->l \| s@A.l \| a@A \) ...+>\)
... when any
    when != unlock(..., \( L \| A \| &A \), ...)
\( write_to(..., &\(W@pw \& <+... \( b@B->f \| t@B.f \) ...+>\), ...) \|
   write(\( &\(W@pw \& <+... \( b@B->f \| t@B.f \) ...+>\) \| \(W@pw \& <+... \( b@B->f \| t@B.f \) ...+>\) \), ...) \|
   \(W@pw \& <+... \( b@B->f \| t@B.f \) ...+>\) aop e \|
   \(W@pw \& <+... \( b@B->f \| t@B.f \) ...+>\)++ \|
   \(W@pw \& <+... \( b@B->f \| t@B.f \) ...+>\)-- \|
   ++\(W@pw \& <+... \( b@B->f \| t@B.f \) ...+>\) \|
   --\(W@pw \& <+... \( b@B->f \| t@B.f \) ...+>\) \)

@script:python@
A << held.A;
B << held.B;
L << held.L;
W << held.W;
pl << held.pl;
pw << held.pw;
@@
if (A == B or not (L == A or member_of(L, A)) or not member_of(W, B)
    or B.isidentifier() and W.startswith(B + " .")
    or int(pw[0].line) < int(pl[0].line)):
    cocci.include_match(False)

// It is released after the write, or by leaving the scope.
@released exists@
expression held.A, held.L, held.W;
identifier unlock : script:python() { releases(unlock) };
identifier class;
iterator name scoped_guard;
position held.pl, held.pw, p;
@@
(
scoped_guard@p(class, L@pl) { <+... W@pw ...+> }
|
W@pw@p
... when any
\( unlock(..., \( L \| A \| &A \), ...) \|
   guard(class)(L@pl) \| CLASS(class, ...)(L@pl) \| ACQUIRE(class, ...)(L@pl) \)
)

// The lock stays the same from one iteration to the next, the written object
// does not.
@again depends on released exists@
idexpression v <= held.B;
expression x <= held.A;
expression held.L, held.W, e, n;
assignment operator aop, op;
iterator I;
position held.pl, held.pw, p;
@@
(
I@p(..., v, ...) { ... when any
    when != \( x op n \| x++ \| x-- \| ++x \| --x \)
L@pl
... when any
W@pw
... when any
}
|
L@pl@p
... when any
    when != \( x op n \| x++ \| x-- \| ++x \| --x \)
\( v aop e \| v++ \| v-- \| ++v \| --v \| &v \)
... when any
    when != \( x op n \| x++ \| x-- \| ++x \| --x \)
L@pl
)

@script:python@
L << held.L;
v << again.v;
@@
if re.search(r"\b%s\b" % re.escape(v), L):
    cocci.include_match(False)

// Not if it is held around the whole loop.
@around depends on again exists@
idexpression v <= held.B;
expression held.L, held.W, e;
identifier unlock : script:python() { releases(unlock) };
assignment operator aop;
position held.pl, held.pw, p;
@@
W@pw@p
... when any
    when != \( L@pl \| unlock(..., L, ...) \)
\( v aop e \| v++ \| v-- \| ++v \| --v \| &v \)
... when any
    when != \( L@pl \| unlock(..., L, ...) \)
W@pw

// Nor if the written object is locked as well, is new, is from a list of the
// locked one, or has two names.
@own depends on again exists@
expression held.A, held.B, held.W, e, q;
expression X : script:python(B) { X.lstrip("&( ") == B or member_of(X, B) };
expression list : script:python(A) { list[0] == "&" and member_of(list, A) };
identifier first =~ "first|last|pop|dequeue";
identifier lock : script:python() { locks(lock) };
identifier get : script:python() { gives(get) };
identifier own =~ "lock|mutex|sem";
identifier unlock : script:python() { releases(unlock) };
identifier class;
position held.pw, p;
@@
\( lock@p(..., X, ...) \| guard@p(class)(X) \|
   CLASS@p(class, ...)(X) \| ACQUIRE@p(class, ...)(X) \|
   B = get@p(...) \| B = first@p(list, ...) \| q@p = \( &B->own \| &B.own \) \| A@p = B \| B@p = A \| A@p = &B \| B@p = &A \)
... when any
    when != \( unlock(..., <+... B ...+>, ...) \| B = e \)
W@pw

// Nor in a branch where it is locked, is the locked one, or belongs to that,
// or where the lock could not be taken.
@branch depends on again exists@
idexpression v <= held.B;
idexpression x <= held.L;
expression held.A, held.B, held.L, held.W, e, q;
identifier f, m, class;
identifier id =~ "^(id|idx|index|nr|no|num|cpu)$";
identifier tl =~ "^(?!down_).*trylock";
identifier intr =~ "_(interruptible|killable)|^down_(trylock|timeout)$";
iterator I;
iterator name scoped_guard;
position held.pl, held.pw, p;
statement S;
@@
(
scoped_guard@p(class, <+... B ...+>) { <+... W@pw ...+> }
|
I@p(..., v, ..., &A->f, m, ...) { <+... W@pw ...+> }
|
if@p (\( A == B \| B == A \| A == B && e \| B == A && e \| e && A == B \| e && B == A \|
         A->id == B->id \| B->id == A->id \| B->f == A \|
         !tl(..., L@pl, ...) \| intr(..., L@pl, ...) \)) { <+... W@pw ...+> }
|
if@p (\( A != B \| B != A \)) S else { <+... W@pw ...+> }
|
I@p(..., x, ...) { <+... W@pw ...+> }
|
for@p (...; ...; \( x = e, v = q \| v = q, x = e \)) { <+... W@pw ...+> }
|
if@p (\( A != B \| B != A \| A != B || e \| B != A || e \)) { ... when any
\( continue; \| break; \| return ...; \| goto f; \)
}
... when any
W@pw
)

@depends on context && again && !around && !own && !branch@
expression held.W;
position held.pw;
@@
* W@pw

@script:python depends on org && again && !around && !own && !branch@
L << held.L;
W << held.W;
pl << held.pl;
pw << held.pw;
@@
cocci.print_main("%s is written under %s" % (plain(W), plain(L)), pw)
cocci.print_secs("lock", pl)

@script:python depends on report && again && !around && !own && !branch@
L << held.L;
W << held.W;
pl << held.pl;
pw << held.pw;
@@
msg = "WARNING: %s is written under the lock of another object, %s, taken on line %s" % (
    plain(W), plain(L), pl[0].line)
coccilib.report.print_report(pw[0], msg)
