package org.slotwise.matching;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import java.util.Arrays;
import java.util.LinkedHashSet;
import java.util.Set;
import java.util.stream.IntStream;
import org.jgrapht.Graph;
import org.jgrapht.alg.matching.KuhnMunkresMinimalWeightBipartitePerfectMatching;
import org.jgrapht.graph.DefaultWeightedEdge;
import org.jgrapht.graph.SimpleWeightedGraph;
import org.slotwise.internal.Check;
import org.slotwise.internal.Ops;
import org.slotwise.internal.Scalars;

/**
 * Matches rows with columns one to one, such that the total cost is least.
 *
 * <p>Source: Kuhn, "The Hungarian method for the assignment problem" (1955), in the form of Munkres
 * (1957), as implemented by JGraphT. Slot Attention uses it to match slots with properties
 * (Locatello et al. 2020, section 2.3), and the IoU of object masks needs it.
 *
 * <pre>{@code
 * minimise  sum over p of  costs[b, rows[b, p], columns[b, p]]
 * where no row and no column of an image occurs twice, and p runs to min(N, M)
 * }</pre>
 *
 * <p>The matching is done on the host, image by image: the costs are copied there once for the
 * whole batch, and the result is copied back. It is meant for slots and objects, of which there are
 * tens; the time for one image grows faster than the cube of their number.
 */
public final class HungarianMatching {

    private static final String WHO = "HungarianMatching";

    private HungarianMatching() {}

    /**
     * Matches the rows of each image's costs with their columns.
     *
     * @param costs (B, N, M), what it costs to match row n with column m, of any sign; float32,
     *     float64 or float16. No gradient flows through the choice: {@link Assignment#pick} carries
     *     it for the costs that were chosen
     * @return min(N, M) pairs for each image, on the costs' device and in their manager
     * @throws IllegalArgumentException if the costs are not of this form, or not finite
     */
    public static Assignment match(NDArray costs) {
        Check.shape(WHO, "costs", costs, "B", "N", "M");
        Check.floating(WHO, "costs", costs.getDataType());
        int images = Math.toIntExact(costs.getShape().get(0));
        int rows = Math.toIntExact(costs.getShape().get(1));
        int columns = Math.toIntExact(costs.getShape().get(2));
        double[] values = Ops.read(costs);
        for (double cost : values) {
            Check.option(Double.isFinite(cost), WHO + ": costs must be finite, got " + cost);
        }
        int pairs = Math.min(rows, columns);
        double[] matchedRows = new double[images * pairs];
        double[] matchedColumns = new double[images * pairs];
        for (int image = 0, next = 0; image < images; image++) {
            int[] columnOf = solve(values, image * rows * columns, rows, columns);
            for (int row = 0; row < rows; row++) {
                if (columnOf[row] < columns) {
                    matchedRows[next] = row;
                    matchedColumns[next++] = columnOf[row];
                }
            }
        }
        Shape shape = new Shape(images, pairs);
        return new Assignment(
                onDevice(costs, matchedRows, shape), onDevice(costs, matchedColumns, shape));
    }

    /**
     * The column of each row; a column that does not exist where there are more rows than columns
     * and the row stays alone.
     */
    private static int[] solve(double[] costs, int offset, int rows, int columns) {
        // The library matches sets of one size. Rows or columns without cost make up for what is
        // missing: each of them adds the same to every matching.
        int size = Math.max(rows, columns);
        Graph<Integer, DefaultWeightedEdge> graph =
                new SimpleWeightedGraph<>(DefaultWeightedEdge.class);
        Set<Integer> left = new LinkedHashSet<>();
        Set<Integer> right = new LinkedHashSet<>();
        IntStream.range(0, size).forEach(left::add);
        IntStream.range(size, 2 * size).forEach(right::add);
        left.forEach(graph::addVertex);
        right.forEach(graph::addVertex);
        for (int row = 0; row < size; row++) {
            for (int column = 0; column < size; column++) {
                boolean real = row < rows && column < columns;
                graph.setEdgeWeight(
                        graph.addEdge(row, size + column),
                        real ? costs[offset + row * columns + column] : 0);
            }
        }
        int[] columnOf = new int[size];
        for (DefaultWeightedEdge edge :
                new KuhnMunkresMinimalWeightBipartitePerfectMatching<>(graph, left, right)
                        .getMatching()
                        .getEdges()) {
            columnOf[graph.getEdgeSource(edge)] = graph.getEdgeTarget(edge) - size;
        }
        return Arrays.copyOf(columnOf, rows);
    }

    private static NDArray onDevice(NDArray like, double[] values, Shape shape) {
        // In memory of the engine's own: gradients of what is picked refer to the indices later on.
        return Scalars.of(like.getManager(), like.getDevice(), values, shape, DataType.INT64);
    }
}
