package org.slotwise.conditioning;

import ai.djl.Device;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.hipparchus.random.SobolSequenceGenerator;
import org.hipparchus.special.Erf;
import org.jspecify.annotations.Nullable;
import org.slotwise.internal.Ops;
import org.slotwise.internal.Scalars;

/**
 * Standard normal numbers that lie evenly within an image: the first K points of Sobol's sequence
 * in D dimensions, scrambled anew for each image, through the inverse of the normal distribution.
 *
 * <p>K points of the sequence, at most 2^m, differ in the first m binary digits of a coordinate.
 * These are flipped by random ones, the same for all points of an image; the digits after them are
 * random for each point. Each number by itself is then standard normal, images are independent, and
 * the points stay as even as Sobol's are: of 2^m of them each coordinate has one in each 2^m-th of
 * the distribution.
 */
final class SobolNoise implements Noise {

    /** The sequence's digits, which are also those of a double's fraction. */
    private static final int BITS = 52;

    private static final double SCALE = 0x1p-52;

    /** The largest D for which direction numbers are known. */
    static final int MAX_DIM = 21201;

    private final @Nullable Random random;
    private final SobolSequenceGenerator sequence;
    private final List<double[]> points = new ArrayList<>();

    SobolNoise(int dim, @Nullable Long seed) {
        random = seed == null ? null : new Random(seed);
        sequence = new SobolSequenceGenerator(dim);
    }

    @Override
    public NDArray draw(NDManager manager, Device device, Shape shape, DataType type) {
        int images = Math.toIntExact(shape.get(0));
        int slots = Math.toIntExact(shape.get(1));
        int dim = Math.toIntExact(shape.get(2));
        double[] values = new double[Math.toIntExact(shape.size())];
        // For each image a row of flips, then one of later digits for each slot.
        long[] digits = digits(manager, Math.toIntExact((slots + 1L) * images * dim));
        List<double[]> even = first(slots);
        long later = (1L << (BITS - Integer.SIZE + Integer.numberOfLeadingZeros(slots - 1))) - 1;
        int at = 0;
        for (int b = 0; b < images; b++) {
            int flips = b * (slots + 1) * dim;
            for (int k = 0; k < slots; k++) {
                for (int d = 0; d < dim; d++) {
                    long first = (long) (even.get(k)[d] / SCALE) ^ (digits[flips + d] & ~later);
                    values[at++] = normal(first | (digits[flips + (k + 1) * dim + d] & later));
                }
            }
        }
        return Scalars.of(manager, device, values, shape, type);
    }

    /** The first points of the unscrambled sequence, in [0, 1). */
    synchronized List<double[]> first(int count) {
        while (points.size() < count) {
            points.add(sequence.nextVector());
        }
        return List.copyOf(points.subList(0, count));
    }

    /** The middle of a 2^52nd of the distribution. */
    private static double normal(long digits) {
        double u = (digits + 0.5) * SCALE;
        return Math.sqrt(2) * Erf.erfInv(2 * u - 1);
    }

    private long[] digits(NDManager manager, int count) {
        long[] digits = new long[count];
        if (random == null) {
            // Drawn where it is used next: on the host.
            try (NDManager scratch = manager.newSubManager(Device.cpu())) {
                NDArray like = Scalars.full(scratch, new Shape(), 0, DataType.FLOAT64);
                double[] uniform = Ops.read(Ops.uniform(like, count));
                for (int i = 0; i < count; i++) {
                    digits[i] = (long) (uniform[i] / SCALE);
                }
            }
            return digits;
        }
        // The lock keeps the numbers of one call together when several threads draw.
        synchronized (random) {
            for (int i = 0; i < count; i++) {
                digits[i] = random.nextLong() >>> (Long.SIZE - BITS);
            }
        }
        return digits;
    }
}
