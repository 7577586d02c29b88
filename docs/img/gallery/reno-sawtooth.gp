# Draws reno-sawtooth.svg from reno-sawtooth.tsv: gnuplot reno-sawtooth.gp
if (!exists("out")) out = 'reno-sawtooth.svg'
data = 'reno-sawtooth.tsv'

set encoding utf8
set terminal svg size 800,430 noenhanced font 'sans-serif,13' background '#ffffff' rounded
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
set label 1 'Reno''s sawtooth' at screen 0.092500,0.953488 left font large tc rgb '#111111'
set label 2 'client → server:5001' at screen 0.092500,0.911628 left font small tc rgb '#555555'

set tmargin at screen 0.837209
set bmargin at screen 0.139535
set arrow 1000 from graph 0, first 35 to graph 1, first 35 nohead lw 1 dt (8,5) lc rgb '#666666'
set label 1000 'what the path holds without a queue' at graph 0.99, first 35 right offset 0,-0.6 font small tc rgb '#333333'
set yrange [0:180]
set label 3 'Window (segments)' at screen 0.020000, graph 0.5 center rotate by 90 tc rgb '#111111'
set xlabel 'Time (s)' offset 0,0.2
set format x '%g'
set key at graph 1,1 right bottom horizontal Left reverse samplen 2 height 0.2 width 0
plot \
  data index 0 using 1:(0):1:2:(0):(180) with boxxyerror fs transparent solid 0.14 noborder fc rgb '#009e73' title 'slow start', \
  data index 1 using 1:(0):1:2:(0):(180) with boxxyerror fs transparent solid 0.35 noborder fc rgb '#e69f00' title 'recovery', \
  data index 2 using 1:2 with steps lw 1.5 lc rgb '#000072b2' title 'cwnd', \
  data index 3 using 1:2 with steps lw 1.5 lc rgb '#00d55e00' dt (6,5) title 'ssthresh'
unset label
unset arrow
unset output
