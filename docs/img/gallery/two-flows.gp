# Draws two-flows.svg from two-flows.tsv: gnuplot two-flows.gp
if (!exists("out")) out = 'two-flows.svg'
data = 'two-flows.tsv'

set encoding utf8
set terminal svg size 800,534 noenhanced font 'sans-serif,13' background '#ffffff' rounded
large = ',15'
small = ',12'
set output out
set datafile separator '\t'
set border 3 lw 0.8 lc rgb '#444444'
set tics out nomirror scale 0.6 tc rgb '#333333'
set grid lt 1 lw 0.6 lc rgb '#e2e2e2' back
set lmargin at screen 0.092500
set rmargin at screen 0.972500
set xrange [0:80]
set label 1 'Two flows share 10 Mbit/s' at screen 0.092500,0.962547 left font large tc rgb '#111111'
set multiplot

set tmargin at screen 0.898876
set bmargin at screen 0.524345
set arrow 1000 from graph 0, first 5 to graph 1, first 5 nohead lw 1 dt (8,5) lc rgb '#666666'
set label 1000 'half of the link' at graph 0.99, first 5 right offset 0,0.5 font small tc rgb '#333333'
set yrange [0:11]
set label 3 'Throughput (Mbit/s)' at screen 0.020000, graph 0.5 center rotate by 90 tc rgb '#111111'
set xlabel '' offset 0,0.2
set format x ''
set key at graph 1,1 right bottom horizontal Left reverse samplen 2 height 0.2 width 0
plot \
  data index 0 using 1:2 with lines lw 1.5 lc rgb '#000072b2' title 'a', \
  data index 1 using 1:2 with lines lw 1.5 lc rgb '#00d55e00' title 'b'
unset label
unset arrow

set tmargin at screen 0.486891
set bmargin at screen 0.112360
set yrange [0:1.05]
set label 3 'Jain''s fairness index' at screen 0.020000, graph 0.5 center rotate by 90 tc rgb '#111111'
set xlabel 'Time (s)' offset 0,0.2
set format x '%g'
unset key
plot \
  data index 2 using 1:2 with lines lw 1.5 lc rgb '#000072b2' notitle
unset label
unset arrow
unset multiplot
unset output
