package org.slotwise.layer;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.training.initializer.Initializer;
import org.hipparchus.distribution.continuous.NormalDistribution;
import org.hipparchus.linear.Array2DRowRealMatrix;
import org.hipparchus.linear.QRDecomposition;
import org.slotwise.internal.Check;
import org.slotwise.internal.Ops;
import org.slotwise.internal.Scalars;

/** Starting values of parameters that DJL's own initializers do not give. */
public final class StartingValues {

    private StartingValues() {}

    /**
     * Uniform in [-bound, bound].
     *
     * @param bound the largest magnitude
     * @return the initializer
     */
    public static Initializer uniform(double bound) {
        Check.notNegative("StartingValues", "bound", bound);
        return (manager, shape, type) ->
                manager.randomUniform((float) -bound, (float) bound, shape, type);
    }

    /**
     * What PyTorch gives the weights and biases of a Linear: uniform in ±1/√(input size).
     *
     * @param inputs the input size
     * @return the initializer
     */
    public static Initializer linear(long inputs) {
        return uniform(1 / Math.sqrt((double) inputs));
    }

    /**
     * What PyTorch gives the weights and biases of a Conv2d: uniform in ±1/√(inputs of an output).
     *
     * @param channels the channels that go in; for a ConvTranspose2d, those that come out
     * @param kernel the kernel's height and width
     * @return the initializer
     */
    public static Initializer convolution(long channels, int kernel) {
        return linear(channels * kernel * kernel);
    }

    /**
     * Xavier (Glorot) uniform: ±√(6 / (inputs + outputs)).
     *
     * @param inputs the input size
     * @param outputs the output size
     * @return the initializer
     */
    public static Initializer xavier(long inputs, long outputs) {
        return uniform(Math.sqrt(6.0 / (double) (inputs + outputs)));
    }

    /**
     * Xavier (Glorot) uniform times a gain.
     *
     * @param inputs the input size
     * @param outputs the output size
     * @param gain what it is multiplied by
     * @return the initializer
     */
    public static Initializer xavier(long inputs, long outputs, double gain) {
        return uniform(gain * Math.sqrt(6.0 / (double) (inputs + outputs)));
    }

    /**
     * Kaiming (He) uniform for what a ReLU follows: ±√(6 / inputs). He et al., "Delving Deep into
     * Rectifiers" (2015).
     *
     * @param inputs how many inputs an output has; of a convolution, channels times places
     * @return the initializer
     */
    public static Initializer kaiming(long inputs) {
        return uniform(Math.sqrt(6.0 / (double) inputs));
    }

    /**
     * Normal with mean 0 and deviation 1, cut at two deviations: drawn uniformly and mapped by the
     * inverse of the distribution function, as PyTorch does.
     *
     * @return the initializer
     */
    public static Initializer truncatedNormal() {
        return (manager, shape, type) -> {
            NormalDistribution normal = new NormalDistribution();
            double low = normal.cumulativeProbability(-2);
            double[] values = uniformNumbers(manager, shape.size());
            for (int i = 0; i < values.length; i++) {
                values[i] = normal.inverseCumulativeProbability(low + values[i] * (1 - 2 * low));
            }
            return Scalars.of(manager, manager.getDevice(), values, shape, type);
        };
    }

    /**
     * Orthogonal: of a matrix (rows, columns) the shorter side is orthonormal. Saxe et al., "Exact
     * solutions to the nonlinear dynamics of learning in deep linear neural networks" (2013); by
     * the QR decomposition of a normal draw, whose R has a positive diagonal, as PyTorch does.
     *
     * @return the initializer, for parameters of two or more dimensions; all after the first count
     *     as columns
     */
    public static Initializer orthogonal() {
        return (manager, shape, type) -> {
            int rows = Math.toIntExact(shape.get(0));
            int columns = Math.toIntExact(shape.size() / rows);
            double[][] q = orthonormal(manager, Math.max(rows, columns), Math.min(rows, columns));
            double[] values = new double[rows * columns];
            for (int i = 0; i < rows; i++) {
                for (int j = 0; j < columns; j++) {
                    values[i * columns + j] = rows >= columns ? q[i][j] : q[j][i];
                }
            }
            return Scalars.of(manager, manager.getDevice(), values, shape, type);
        };
    }

    /** A matrix (rows, columns) with orthonormal columns, at most as many as rows. */
    private static double[][] orthonormal(NDManager manager, int rows, int columns) {
        double[] draw;
        try (NDArray normal =
                manager.randomNormal(0, 1, new Shape(rows, columns), DataType.FLOAT64)) {
            draw = Ops.read(normal);
        }
        double[][] matrix = new double[rows][columns];
        for (int i = 0; i < draw.length; i++) {
            matrix[i / columns][i % columns] = draw[i];
        }
        QRDecomposition qr = new QRDecomposition(new Array2DRowRealMatrix(matrix, false));
        double[][] q = qr.getQ().getData();
        for (int j = 0; j < columns; j++) {
            if (qr.getR().getEntry(j, j) < 0) {
                for (double[] row : q) {
                    row[j] = -row[j];
                }
            }
        }
        return q;
    }

    private static double[] uniformNumbers(NDManager manager, long count) {
        try (NDArray uniform = manager.randomUniform(0, 1, new Shape(count), DataType.FLOAT64)) {
            return Ops.read(uniform);
        }
    }

    /**
     * Normal with mean 0.
     *
     * @param deviation the standard deviation
     * @return the initializer
     */
    public static Initializer normal(double deviation) {
        Check.notNegative("StartingValues", "deviation", deviation);
        return (manager, shape, type) -> manager.randomNormal(0f, (float) deviation, shape, type);
    }

    /**
     * A number.
     *
     * @param value the number, kept in the parameter's full precision
     * @return the initializer
     */
    public static Initializer constant(double value) {
        Check.option(!Double.isNaN(value), "StartingValues: value must be a number, got NaN");
        return (manager, shape, type) -> Scalars.full(manager, shape, value, type);
    }
}
