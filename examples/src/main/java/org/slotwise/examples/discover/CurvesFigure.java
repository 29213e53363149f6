package org.slotwise.examples.discover;

import ai.djl.modality.cv.Image;
import ai.djl.modality.cv.ImageFactory;
import java.awt.BasicStroke;
import java.awt.Color;
import java.awt.Font;
import java.util.DoubleSummaryStatistics;
import java.util.List;
import java.util.Objects;
import org.knowm.xchart.BitmapEncoder;
import org.knowm.xchart.XYChart;
import org.knowm.xchart.XYChartBuilder;
import org.knowm.xchart.XYSeries;
import org.knowm.xchart.style.Styler.LegendPosition;
import org.knowm.xchart.style.markers.None;
import org.knowm.xchart.style.markers.SeriesMarkers;
import org.slotwise.image.Palette;
import org.slotwise.image.PictureGrid;

/** Curves: a chart for each quantity below each other, a line for each run. */
final class CurvesFigure {

    /** The size of a chart. */
    static final int WIDTH = 900;

    static final int HEIGHT = 340;

    /** Of the numbers at the axes. */
    private static final Font SMALL = new Font(Font.SANS_SERIF, Font.PLAIN, 10);

    /** In degrees, so that numbers that stand close do not run into each other. */
    private static final int SLANT = 60;

    /** Up to so many points are marked each. */
    private static final int MARKED = 40;

    private CurvesFigure() {}

    /**
     * Draws the figure.
     *
     * @param runs the trainings
     * @param columns the quantities
     * @param logarithmic those of them that are drawn on a logarithmic axis
     * @param along what the quantities are drawn over
     * @return an image
     * @throws IllegalArgumentException if a value cannot be drawn on such an axis
     */
    static Image draw(
            List<TrainingHistory> runs,
            List<String> columns,
            List<String> logarithmic,
            String along) {
        PictureGrid grid =
                PictureGrid.builder()
                        .setColumns(1)
                        .setPanelSize(HEIGHT, WIDTH)
                        .optGap(0)
                        .optBar(0)
                        .build();
        for (String column : columns) {
            XYChart chart = chart(runs, column, logarithmic.contains(column), along);
            grid.add(ImageFactory.getInstance().fromImage(BitmapEncoder.getBufferedImage(chart)));
        }
        return grid.draw();
    }

    private static XYChart chart(
            List<TrainingHistory> runs, String column, boolean logarithmic, String along) {
        XYChart chart =
                new XYChartBuilder()
                        .width(WIDTH)
                        .height(HEIGHT)
                        .xAxisTitle(along)
                        .yAxisTitle(column)
                        .build();
        // Between steps there is nothing: of a short history not every line has a number.
        chart.getStyler()
                .setxAxisTickLabelsFormattingFunction(
                        step -> step == Math.rint(step) ? String.valueOf(Math.round(step)) : "");
        chart.getStyler()
                .setYAxisLogarithmic(logarithmic && powers(runs, column) >= 2)
                .setAxisTickLabelsFont(SMALL)
                .setXAxisLabelRotation(SLANT)
                .setChartBackgroundColor(Color.WHITE)
                .setLegendPosition(LegendPosition.OutsideE);
        for (int i = 0; i < runs.size(); i++) {
            TrainingHistory.Series series = runs.get(i).series().get(column);
            if (series == null) {
                continue;
            }
            if (logarithmic && series.values().stream().anyMatch(value -> value <= 0)) {
                throw new IllegalArgumentException(
                        column
                                + " of "
                                + runs.get(i).name()
                                + " has values of 0 or below, which a logarithmic axis cannot show;"
                                + " use --linear");
            }
            // Names of runs may be equal; XChart tells series apart by name.
            String id = i + " " + runs.get(i).name();
            XYSeries line = chart.addSeries(id, series.steps(), series.values());
            Color colour = new Color(Palette.colourBlindSafe().rgb(i));
            line.setLabel(runs.get(i).name());
            line.setLineColor(colour);
            line.setLineStyle(new BasicStroke(2));
            line.setMarkerColor(colour);
            line.setMarker(series.values().size() <= MARKED ? SeriesMarkers.CIRCLE : new None());
        }
        return chart;
    }

    /**
     * How many powers of ten there are from the lowest value to the highest one. XChart has numbers
     * for these alone, and what is given other numbers has them in the wrong places.
     */
    private static long powers(List<TrainingHistory> runs, String column) {
        DoubleSummaryStatistics values =
                runs.stream()
                        .map(run -> run.series().get(column))
                        .filter(Objects::nonNull)
                        .flatMap(series -> series.values().stream())
                        .mapToDouble(Double::doubleValue)
                        .summaryStatistics();
        double first = Math.ceil(Math.log10(values.getMin()));
        double last = Math.floor(Math.log10(values.getMax()));
        return Math.round(last - first) + 1;
    }
}
