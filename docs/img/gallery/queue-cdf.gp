# Draws queue-cdf.svg from queue-cdf.tsv: gnuplot queue-cdf.gp
if (!exists("out")) out = 'queue-cdf.svg'
data = 'queue-cdf.tsv'

set encoding utf8
set terminal svg size 800,414 noenhanced font 'sans-serif,13' background '#ffffff' rounded
large = ',15'
small = ',12'
set output out
set datafile separator '\t'
set border 3 lw 0.8 lc rgb '#444444'
set tics out nomirror scale 0.6 tc rgb '#333333'
set grid lt 1 lw 0.6 lc rgb '#e2e2e2' back
set lmargin at screen 0.092500
set rmargin at screen 0.972500
set xrange [0:1.3]
set label 1 'Round-trip times and the queue''s length' at screen 0.092500,0.951691 left font large tc rgb '#111111'

set tmargin at screen 0.869565
set bmargin at screen 0.144928
set yrange [0:1.02]
set label 3 'Share of the samples' at screen 0.020000, graph 0.5 center rotate by 90 tc rgb '#111111'
set xlabel 'Round-trip time (s)' offset 0,0.2
set format x '%g'
set key at graph 1,1 right bottom horizontal Left reverse samplen 2 height 0.2 width 0
plot \
  data index 0 using 1:2 with steps lw 1.5 lc rgb '#000072b2' title 'queue of 20 packets', \
  data index 1 using 1:2 with steps lw 1.5 lc rgb '#00d55e00' title 'queue of 500 packets'
unset label
unset arrow
unset output
