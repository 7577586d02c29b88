# Draws bufferbloat.svg from bufferbloat.tsv: gnuplot bufferbloat.gp
if (!exists("out")) out = 'bufferbloat.svg'
data = 'bufferbloat.tsv'

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
set xrange [0:30]
set label 1 'Bufferbloat: a queue of 500 packets' at screen 0.092500,0.964912 left font large tc rgb '#111111'
set label 2 'client → server:5001' at screen 0.092500,0.933333 left font small tc rgb '#555555'
set multiplot

set tmargin at screen 0.877193
set bmargin at screen 0.526316
set yrange [0:1400]
set label 3 'Round-trip time (ms)' at screen 0.020000, graph 0.5 center rotate by 90 tc rgb '#111111'
set xlabel '' offset 0,0.2
set format x ''
set key at graph 1,1 right bottom horizontal Left reverse samplen 2 height 0.2 width 0
plot \
  data index 0 using 1:2 with points pt 7 ps 0.3 lc rgb '#0056b4e9' title 'sample', \
  data index 1 using 1:2 with lines lw 1.5 lc rgb '#000072b2' title 'smoothed'
unset label
unset arrow

set tmargin at screen 0.456140
set bmargin at screen 0.105263
set arrow 1000 from graph 0, first 500 to graph 1, first 500 nohead lw 1 dt (8,5) lc rgb '#666666'
set label 1000 'full' at graph 0.99, first 500 right offset 0,0.5 font small tc rgb '#333333'
set yrange [0:550]
set label 3 'Queue (packets)' at screen 0.020000, graph 0.5 center rotate by 90 tc rgb '#111111'
set xlabel 'Time (s)' offset 0,0.2
set format x '%g'
set key at graph 1,1 right bottom horizontal Left reverse samplen 2 height 0.2 width 0
plot \
  data index 2 using 1:2 with steps lw 1.5 lc rgb '#000072b2' title 'router:eth1'
unset label
unset arrow
unset multiplot
unset output
