# Draws ecn.svg from ecn.tsv: gnuplot ecn.gp
if (!exists("out")) out = 'ecn.svg'
data = 'ecn.tsv'

set encoding utf8
set terminal svg size 800,570 noenhanced font 'sans-serif,13' background '#ffffff' rounded
large = ',15'
small = ',12'
set output out
set datafile separator '\t'
set border 3 lw 0.8 lc rgb '#444444'
set tics out nomirror scale 0.6 tc rgb '#333333'
set grid lt 1 lw 0.6 lc rgb '#e2e2e2' back
set lmargin at screen 0.092500
set rmargin at screen 0.972500
set xrange [0:12]
set label 1 'Marks in the place of losses' at screen 0.092500,0.964912 left font large tc rgb '#111111'
set label 2 'client → server:5001' at screen 0.092500,0.933333 left font small tc rgb '#555555'
set multiplot

set tmargin at screen 0.877193
set bmargin at screen 0.526316
set yrange [0:120]
set label 3 'Window (segments)' at screen 0.020000, graph 0.5 center rotate by 90 tc rgb '#111111'
set xlabel '' offset 0,0.2
set format x ''
set key at graph 1,1 right bottom horizontal Left reverse samplen 2 height 0.2 width 0
plot \
  data index 0 using 1:(0):1:2:(0):(120) with boxxyerror fs transparent solid 0.14 noborder fc rgb '#009e73' title 'slow start', \
  data index 1 using 1:(0):1:2:(0):(120) with boxxyerror fs transparent solid 0.35 noborder fc rgb '#56b4e9' title 'CWR', \
  data index 2 using 1:2 with steps lw 1.5 lc rgb '#000072b2' title 'cwnd', \
  data index 3 using 1:2 with steps lw 1.5 lc rgb '#00d55e00' dt (6,5) title 'ssthresh', \
  data index 4 using 1:(3) with points pt 2 ps 0.5 lw 1.5 lc rgb '#cc79a7' title 'marked'
unset label
unset arrow

set tmargin at screen 0.456140
set bmargin at screen 0.105263
set arrow 1000 from graph 0, first 20 to graph 1, first 20 nohead lw 1 dt (8,5) lc rgb '#666666'
set label 1000 'marks from here on' at graph 0.99, first 20 right offset 0,0.5 font small tc rgb '#333333'
set yrange [0:80]
set label 3 'Queue (packets)' at screen 0.020000, graph 0.5 center rotate by 90 tc rgb '#111111'
set xlabel 'Time (s)' offset 0,0.2
set format x '%g'
set key at graph 1,1 right bottom horizontal Left reverse samplen 2 height 0.2 width 0
plot \
  data index 5 using 1:2 with steps lw 1.5 lc rgb '#000072b2' title 'router:eth1'
unset label
unset arrow
unset multiplot
unset output
