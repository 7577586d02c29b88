# Draws zero-window.svg from zero-window.tsv: gnuplot zero-window.gp
if (!exists("out")) out = 'zero-window.svg'
data = 'zero-window.tsv'

set encoding utf8
set terminal svg size 800,550 noenhanced font 'sans-serif,13' background '#ffffff' rounded
large = ',15'
small = ',12'
set output out
set datafile separator '\t'
set border 3 lw 0.8 lc rgb '#444444'
set tics out nomirror scale 0.6 tc rgb '#333333'
set grid lt 1 lw 0.6 lc rgb '#e2e2e2' back
set lmargin at screen 0.092500
set rmargin at screen 0.972500
set xrange [0:4.2]
set label 1 'A closed window is probed' at screen 0.092500,0.963636 left font large tc rgb '#111111'
set label 2 'client → server:5001' at screen 0.092500,0.930909 left font small tc rgb '#555555'
set multiplot

set tmargin at screen 0.872727
set bmargin at screen 0.509091
set arrow 1 from first 0.125352, graph 0 to first 0.125352, graph 1 nohead lw 1 dt (3,4) lc rgb '#666666'
set label 10 'the window is closed' at first 0.125352, graph 0.95 left offset 0.6,0 font small tc rgb '#333333'
set arrow 2 from first 4.0503152, graph 0 to first 4.0503152, graph 1 nohead lw 1 dt (3,4) lc rgb '#666666'
set label 11 'the program reads' at first 4.0503152, graph 0.88 right offset -0.6,0 font small tc rgb '#333333'
set yrange [0:180]
set label 3 'Sequence number (kB)' at screen 0.020000, graph 0.5 center rotate by 90 tc rgb '#111111'
set xlabel '' offset 0,0.2
set format x ''
set key at graph 1,1 right bottom horizontal Left reverse samplen 2 height 0.2 width 0
plot \
  data index 0 using 1:2 with steps lw 1.2 lc rgb '#00e69f00' title 'window', \
  data index 1 using 1:2 with steps lw 1.2 lc rgb '#00009e73' title 'ACK', \
  data index 2 using 1:2:(0):($3-$2) with vectors nohead lw 2 lc rgb '#000072b2' title 'data', \
  data index 3 using 1:2 with points pt 7 ps 0.3 lc rgb '#00000000' title 'probe'
unset label
unset arrow

set tmargin at screen 0.472727
set bmargin at screen 0.109091
set arrow 1 from first 0.125352, graph 0 to first 0.125352, graph 1 nohead lw 1 dt (3,4) lc rgb '#666666'
set arrow 2 from first 4.0503152, graph 0 to first 4.0503152, graph 1 nohead lw 1 dt (3,4) lc rgb '#666666'
set yrange [0:45]
set label 3 'Receive window (kB)' at screen 0.020000, graph 0.5 center rotate by 90 tc rgb '#111111'
set xlabel 'Time (s)' offset 0,0.2
set format x '%g'
unset key
plot \
  data index 4 using 1:2 with steps lw 1.5 lc rgb '#00009e73' notitle
unset label
unset arrow
unset multiplot
unset output
