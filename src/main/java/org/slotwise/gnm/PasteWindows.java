package org.slotwise.gnm;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.LongStream;
import org.slotwise.internal.Ops;
import org.slotwise.internal.Scalars;

/**
 * Where in the picture each glimpse can be seen at all. A glimpse of h x h pixels that is pasted
 * into a rectangle of size s around t is 0 beyond s (1 + 1 / h) from t, so only a window of the
 * picture has to be computed. Windows of one size are computed together; cells are put in groups by
 * size such that few pixels are computed in vain, and few calls are made.
 *
 * @param order which cells, group by group, (n) int64
 * @param plan int64 in one array: how many groups there are; how many cells, columns and rows each
 *     of them has; the order, the first column and the first row of each cell's window
 */
record PasteWindows(NDArray order, NDArray plan) {

    /** How many sizes of windows are told apart. */
    private static final int SIZES = 8;

    /** What a group costs beyond its pixels, in pixels. */
    private static final double GROUP_COST = 6000;

    /** Along one axis: the first pixel, and how many there are. */
    private record Span(int first, int count) {

        static Span of(double size, double centre, int glimpse, int pixels) {
            double reach = size * (1 + 1.0 / glimpse);
            double from = Math.floor(((centre - reach + 1) * pixels - 1) / 2);
            double to = Math.ceil(((centre + reach + 1) * pixels - 1) / 2);
            int first = (int) Math.max(0, Math.min(pixels - 1.0, from));
            int last = (int) Math.max(first, Math.min(pixels - 1.0, to));
            return new Span(first, last - first + 1);
        }

        /** Where a window of so many pixels begins that holds this one. */
        int within(int window, int pixels) {
            return Math.min(first, pixels - window);
        }
    }

    private record Cell(long number, Span across, Span down) {

        /** Where numbers are none, they show in all of the picture. */
        static Cell of(long number, double[] where, int glimpse, int pixels) {
            if (!Arrays.stream(where).allMatch(Double::isFinite)) {
                Span all = new Span(0, pixels);
                return new Cell(number, all, all);
            }
            return new Cell(
                    number,
                    Span.of(where[0], where[2], glimpse, pixels),
                    Span.of(where[1], where[3], glimpse, pixels));
        }

        int size() {
            return Math.max(across.count, down.count);
        }
    }

    /**
     * Of cells of a picture.
     *
     * @param rows where all cells are, (B G G, 4)
     * @param cells which of them are pasted, at least one
     * @param glimpse h
     * @param pixels height and width of the picture
     */
    static PasteWindows of(NDArray rows, long[] cells, int glimpse, int pixels) {
        return of(rows, plan(Ops.read(rows), cells, glimpse, pixels));
    }

    /**
     * The plan of an array, of which this is one.
     *
     * @param where where all cells are, four numbers each
     * @param cells which of them are pasted, at least one
     * @param glimpse h
     * @param pixels height and width of the picture
     */
    static double[] plan(double[] where, long[] cells, int glimpse, int pixels) {
        List<List<Cell>> bySize = new ArrayList<>();
        for (int i = 0; i <= SIZES; i++) {
            bySize.add(new ArrayList<>());
        }
        int step = Math.max(1, (pixels + SIZES - 1) / SIZES);
        for (long number : cells) {
            int at = Math.toIntExact(4 * number);
            Cell cell = Cell.of(number, Arrays.copyOfRange(where, at, at + 4), glimpse, pixels);
            bySize.get((cell.size() + step - 1) / step).add(cell);
        }
        return plan(grouped(bySize), pixels);
    }

    /**
     * All of the picture for each cell, in the cells' order.
     *
     * @param like where windows are needed
     * @param cells which cells are pasted, at least one
     * @param pixels height and width of the picture
     */
    static PasteWindows whole(NDArray like, long[] cells, int pixels) {
        Span all = new Span(0, pixels);
        return of(
                like,
                plan(
                        List.of(LongStream.of(cells).mapToObj(n -> new Cell(n, all, all)).toList()),
                        pixels));
    }

    /** Which sizes go together such that all together cost least. */
    private static List<List<Cell>> grouped(List<List<Cell>> bySize) {
        int n = bySize.size();
        int[] columns = bySize.stream().mapToInt(PasteWindows::columns).toArray();
        int[] rows = bySize.stream().mapToInt(PasteWindows::rows).toArray();
        double[] least = new double[n + 1];
        int[] from = new int[n + 1];
        Arrays.fill(least, 1, n + 1, Double.POSITIVE_INFINITY);
        for (int end = 1; end <= n; end++) {
            int cells = 0;
            int widest = 0;
            int highest = 0;
            for (int begin = end - 1; begin >= 0; begin--) {
                cells += bySize.get(begin).size();
                widest = Math.max(widest, columns[begin]);
                highest = Math.max(highest, rows[begin]);
                double pixels = (double) cells * widest * highest;
                double cost = least[begin] + (cells == 0 ? 0 : pixels + GROUP_COST);
                if (cost <= least[end]) {
                    least[end] = cost;
                    from[end] = begin;
                }
            }
        }
        List<List<Cell>> groups = new ArrayList<>();
        for (int end = n; end > 0; end = from[end]) {
            List<Cell> group =
                    bySize.subList(from[end], end).stream().flatMap(List::stream).toList();
            if (!group.isEmpty()) {
                groups.add(group);
            }
        }
        return groups;
    }

    private static int columns(List<Cell> group) {
        return group.stream().mapToInt(cell -> cell.across.count).max().orElse(0);
    }

    private static int rows(List<Cell> group) {
        return group.stream().mapToInt(cell -> cell.down.count).max().orElse(0);
    }

    private static double[] plan(List<List<Cell>> groups, int pixels) {
        int n = groups.stream().mapToInt(List::size).sum();
        int count = groups.size();
        int first = 1 + 3 * count;
        double[] plan = new double[first + 3 * n];
        plan[0] = count;
        int next = first;
        for (int i = 0; i < count; i++) {
            List<Cell> group = groups.get(i);
            int columns = columns(group);
            int rows = rows(group);
            plan[1 + i] = group.size();
            plan[1 + count + i] = columns;
            plan[1 + 2 * count + i] = rows;
            for (Cell cell : group) {
                plan[next] = cell.number;
                plan[next + n] = cell.across.within(columns, pixels);
                plan[next + 2 * n] = cell.down.within(rows, pixels);
                next++;
            }
        }
        return plan;
    }

    private static PasteWindows of(NDArray like, double... plan) {
        Shape shape = new Shape(plan.length);
        // In memory of the engine's own: graphs refer to it.
        NDArray array =
                Scalars.of(like.getManager(), like.getDevice(), plan, shape, DataType.INT64);
        int first = 1 + 3 * (int) plan[0];
        int n = (plan.length - first) / 3;
        return new PasteWindows(array.get("{}:{}", first, first + n), array);
    }
}
