package org.slotwise.internal;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.slotwise.testing.ChildJvm;

class VectorLoopsTest {

    @Test
    void exponentialsAreNearMathsOwn() {
        double[] x = new double[2001];
        for (int i = 0; i < x.length; i++) {
            x[i] = (i - 1000) / 10.0;
        }
        double[] y = x.clone();
        DoubleLoops.exponentials(y, y.length);
        for (int i = 0; i < x.length; i++) {
            assertEquals(1, y[i] / Math.exp(x[i]), 3e-10, "of " + x[i]);
        }
    }

    @Test
    void exponentialsOfWhatFloatsDoNotHold() {
        double[] x = {-1e30, Double.NEGATIVE_INFINITY, 1e30, Double.POSITIVE_INFINITY, Double.NaN};
        DoubleLoops.exponentials(x, x.length);
        assertEquals(0, (float) x[0]);
        assertEquals(0, (float) x[1]);
        assertEquals(Float.POSITIVE_INFINITY, (float) x[2]);
        assertEquals(Float.POSITIVE_INFINITY, (float) x[3]);
        assertTrue(Double.isNaN(x[4]));
    }

    @Test
    void nothingBeyondTheEndIsTouched() {
        double[] x = {1, 2, 3};
        DoubleLoops.exponentials(x, 2);
        assertEquals(3, x[2]);
        float[][] rows = {{1, 2}, {3, 4}, {5, 6}, {7, 8}, {9, 10}};
        float[][] columns = {{-1, -1, -1, -1, -1, -1}, {-1, -1, -1, -1, -1, -1}};
        VectorLoops.transpose(rows, columns, 5, 2);
        assertArrayEquals(new float[] {1, 3, 5, 7, 9, -1}, columns[0]);
        assertArrayEquals(new float[] {2, 4, 6, 8, 10, -1}, columns[1]);
    }

    /** However rows are taken together, each is the sum of its own products, in the same order. */
    @ParameterizedTest
    @ValueSource(ints = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 16, 17})
    void productsOfAnyNumberOfRows(int count) {
        Random random = new Random(count);
        float[][] columns = random(random, 6, 37);
        float[][] of = random(random, count + 1, 6);
        float[][] rows = random(random, count + 1, 37);
        float[][] expected = new float[count + 1][];
        for (int i = 0; i <= count; i++) {
            expected[i] = rows[i].clone();
            for (int f = 2; f < 6 && i < count; f++) {
                for (int j = 3; j < 30; j++) {
                    expected[i][j] = Math.fma(of[i][f], columns[f][j], expected[i][j]);
                }
            }
        }
        ColumnProducts.add(columns, 2, 6, rows, of, count, 3, 30);
        assertArrayEquals(expected, rows);
    }

    private static float[][] random(Random random, int rows, int size) {
        float[][] x = new float[rows][size];
        for (float[] row : x) {
            for (int i = 0; i < size; i++) {
                row[i] = (float) random.nextGaussian();
            }
        }
        return x;
    }

    /** Tells whether the loops are thought to be fast. */
    static final class Told {
        public static void main(String[] args) {
            System.out.println("fast " + VectorLoops.areFast());
        }
    }

    /** As in a virtual machine that does not show its processor's instructions. */
    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void loopsAreNotFastWithoutTheInstruction(boolean there) throws IOException {
        if (there && !VectorLoops.areFast()) {
            return; // nor here
        }
        String option = there ? "-XX:+UseFMA" : "-XX:-UseFMA";
        ProcessBuilder builder =
                new ProcessBuilder(ChildJvm.command(Told.class, List.of(option), "x"));
        String said = ChildJvm.said(builder.redirectErrorStream(true).start());
        assertTrue(said.contains("fast " + there), said);
    }
}
