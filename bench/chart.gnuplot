# SPDX-License-Identifier: GPL-2.0-only
# The chart of `make bench`, from the files in its results.
set terminal svg size 960,400 font "Helvetica,13" background "white"
set output "chart.svg"
set multiplot layout 1,2

set title "Create, reset and check a VM"
set xlabel "vCPUs"
set logscale x 2
set logscale y 10
set xtics 4
set ylabel "time in the guest (ms)"
set grid
plot "growth.dat" using 1:2 with linespoints lw 2 pt 7 notitle

unset logscale
set title "From sources to a verdict"
unset xlabel
set ylabel "time on the host (s)"
set xtics auto
set xrange [-0.6:1.6]
set yrange [0:*]
set style fill solid 0.8
set boxwidth 0.35
set key top right
bars = "< for part in cold edit; do echo $part $(cat $part $part-stock); done"
plot bars using ($0 - 0.2):2:(0.35) with boxes title "this project", \
     "" using ($0 + 0.2):6:(0.35) with boxes title "kunit.py run", \
     "" using 0:(0):xtic(1) with lines notitle, \
     "" using ($0 - 0.2):2:(sprintf("%.3g", $2)) with labels offset 0,0.7 notitle, \
     "" using ($0 + 0.2):6:(sprintf("%.3g", $6)) with labels offset 0,0.7 notitle
unset multiplot
