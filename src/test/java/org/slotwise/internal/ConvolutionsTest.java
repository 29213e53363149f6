package org.slotwise.internal;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.slotwise.testing.Tensors.assertClose;
import static org.slotwise.testing.Tensors.assertSame;
import static org.slotwise.testing.Tensors.normal;

import ai.djl.engine.Engine;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.NDScope;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.training.GradientCollector;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.slotwise.testing.FiniteDifferences;
import org.slotwise.testing.Garbage;
import org.slotwise.testing.OnDevice;
import org.slotwise.testing.Tensors;

@ExtendWith(OnDevice.class)
class ConvolutionsTest {

    private static final DataType DOUBLE = DataType.FLOAT64;

    @ParameterizedTest
    @CsvSource({
        "4, 5, 5, 2, 2, 1", // the paper's layers
        "3, 4, 5, 1, 2, 0", //
        "2, 3, 3, 1, 1, 0",
        "3, 2, 4, 3, 0, 2",
        "1, 1, 5, 2, 2, 1",
        "2, 2, 2, 2, 0, 0",
        "1, 3, 1, 1, 0, 0"
    })
    void isTheSumInItsDescription(
            int height,
            int width,
            int kernel,
            int stride,
            int padding,
            int outputPadding,
            NDManager manager) {
        NDArray x = normal(manager, 1, DOUBLE, 2, 3, height, width);
        NDArray weight = normal(manager, 2, DOUBLE, 3, 2, kernel, kernel);
        NDArray bias = normal(manager, 3, DOUBLE, 2);
        NDArray expected = bySums(x, weight, bias, stride, padding, outputPadding);

        NDArray y = Convolutions.convTranspose2d(x, weight, bias, stride, padding, outputPadding);
        assertClose("with bias", expected, y, 1e-12);
        NDArray without =
                Convolutions.convTranspose2d(x, weight, null, stride, padding, outputPadding);
        assertClose("without", expected.sub(bias.reshape(1, 2, 1, 1)), without, 1e-12);
    }

    private static NDArray bySums(
            NDArray x, NDArray weight, NDArray bias, int stride, int padding, int outputPadding) {
        double[] from = Tensors.doubles(x);
        double[] w = Tensors.doubles(weight);
        double[] b = Tensors.doubles(bias);
        int batch = size(x, 0);
        int in = size(x, 1);
        int height = size(x, 2);
        int width = size(x, 3);
        int out = size(weight, 1);
        int kernel = size(weight, 2);
        int h = (height - 1) * stride - 2 * padding + kernel + outputPadding;
        int v = (width - 1) * stride - 2 * padding + kernel + outputPadding;
        double[] to = new double[batch * out * h * v];
        for (int n = 0; n < to.length; n++) {
            to[n] = b[n / (h * v) % out];
        }
        for (int n = 0; n < batch * in * height * width; n++) {
            int j = n % width;
            int i = n / width % height;
            int c = n / (width * height) % in;
            int image = n / (width * height * in);
            for (int m = 0; m < out * kernel * kernel; m++) {
                int row = stride * i - padding + m / kernel % kernel;
                int column = stride * j - padding + m % kernel;
                if (row >= 0 && row < h && column >= 0 && column < v) {
                    int o = m / (kernel * kernel);
                    to[((image * out + o) * h + row) * v + column] +=
                            from[n] * w[c * out * kernel * kernel + m];
                }
            }
        }
        return x.getManager().create(to, new Shape(batch, out, h, v));
    }

    private static int size(NDArray array, int axis) {
        return (int) array.getShape().get(axis);
    }

    @ParameterizedTest
    @CsvSource({"2, 2, 1", "1, 2, 0", "3, 0, 0"})
    void gradientsAgreeWithDifferences(
            int stride, int padding, int outputPadding, NDManager manager) {
        NDArray x = normal(manager, 1, DOUBLE, 2, 2, 2, 3);
        NDArray weight = normal(manager, 2, DOUBLE, 2, 3, 5, 5);
        NDArray bias = normal(manager, 3, DOUBLE, 3);
        FiniteDifferences.check(
                manager,
                in ->
                        Convolutions.convTranspose2d(
                                        in[0], in[1], in[2], stride, padding, outputPadding)
                                .tanh()
                                .sum(),
                x,
                weight,
                bias);
        FiniteDifferences.check(
                manager,
                in ->
                        Convolutions.convTranspose2d(
                                        in[0], in[1], null, stride, padding, outputPadding)
                                .tanh()
                                .sum(),
                normal(manager, 4, DOUBLE, 1, 2, 2, 2),
                normal(manager, 5, DOUBLE, 2, 1, 5, 5));
    }

    @Test
    void gradientsStayRightOverCallsOfOtherShapesAndModes(NDManager manager) {
        // The engine specialises a script to what it has seen: gradients on and off, sizes, types.
        for (int call = 0; call < 12; call++) {
            DataType type = call % 3 == 2 ? DOUBLE : DataType.FLOAT32;
            NDArray x = normal(manager, call, type, 1 + call % 3, 2, 3 + call % 2, 4);
            NDArray weight = normal(manager, call + 1L, type, 2, 3, 3, 3);
            NDArray bias = normal(manager, call + 2L, type, 3);
            weight.setRequiresGradient(call % 4 != 0);
            bias.setRequiresGradient(call % 2 == 1);
            x.setRequiresGradient(call > 5);
            try (GradientCollector collector = Engine.getEngine("PyTorch").newGradientCollector()) {
                NDArray y = Convolutions.convTranspose2d(x, weight, bias, 2, 1, 1);
                // d sum / d bias is the number of pixels
                if (call % 2 == 1) {
                    collector.backward(y.sum());
                    NDArray pixels =
                            manager.full(new Shape(3), y.size() / 3f, DataType.FLOAT32)
                                    .toType(type, false);
                    assertClose("bias, call " + call, pixels, bias.getGradient(), 1e-6);
                    if (call > 5) {
                        assertTrue(Tensors.largest(x.getGradient()) > 0);
                    }
                }
            }
            NDArray plain =
                    NoGraph.during(() -> Convolutions.convTranspose2d(x, weight, bias, 2, 1, 1));
            assertFalse(plain.hasGradient());
        }
    }

    @Test
    void garbageCollectionLeavesGradientsAlone(NDManager manager) {
        NDArray x = normal(manager, 1, 2, 3, 4, 4);
        NDArray[] gradients = new NDArray[2];
        for (int pass = 0; pass < 2; pass++) {
            NDArray weight = normal(manager, 2, 3, 2, 5, 5);
            weight.setRequiresGradient(true);
            try (GradientCollector collector = Engine.getEngine("PyTorch").newGradientCollector()) {
                NDArray y = Convolutions.convTranspose2d(x, weight, null, 2, 2, 1);
                NDArray loss = y.mul(y).sum();
                if (pass == 1) {
                    Garbage.collect();
                }
                collector.backward(loss);
            }
            gradients[pass] = weight.getGradient();
        }
        assertSame("gradient", gradients[0], gradients[1]);
    }

    @Test
    void namesOfArraysMeanNothing(NDManager manager) {
        NDArray x = normal(manager, 1, 1, 2, 3, 3);
        NDArray weight = normal(manager, 2, 2, 2, 3, 3);
        NDArray bias = normal(manager, 3, 2);
        NDArray expected = Convolutions.convTranspose2d(x, weight, bias, 1, 1, 0);
        for (String name : new String[] {"conv.", "list[]", "tuple()", "module_method:forward"}) {
            x.setName(name + "x");
            weight.setName(name + "weight");
            bias.setName(name);
            weight.setRequiresGradient(true);
            try (GradientCollector collector = Engine.getEngine("PyTorch").newGradientCollector()) {
                NDArray y = Convolutions.convTranspose2d(x, weight, bias, 1, 1, 0);
                assertSame(name, expected, y);
                collector.backward(y.sum());
            }
            assertTrue(Tensors.largest(weight.getGradient()) > 0, name);
            assertEquals(name + "x", x.getName());
            assertEquals(name + "weight", weight.getName());
            assertEquals(name, bias.getName());
        }
    }

    @Test
    void managersHoldTheResultOnly(NDManager manager) {
        NDArray x = normal(manager, 1, 1, 2, 3, 3);
        NDArray weight = normal(manager, 2, 2, 2, 3, 3);
        weight.setName("conv.weight");
        try (NDManager images = manager.newSubManager()) {
            x.attach(images);
            int before = manager.getManagedArrays().size();
            NDArray y = Convolutions.convTranspose2d(x, weight, null, 1, 1, 0);
            assertEquals(2, images.getManagedArrays().size());
            assertEquals(images, y.getManager());
            // A manager counts those of the managers below it.
            assertEquals(before + 1, manager.getManagedArrays().size());
        }
    }

    @Test
    void scopesOfTheFirstCallerDoNotEndIt(NDManager manager) {
        NDArray x = normal(manager, 1, 1, 1, 2, 2);
        NDArray weight = normal(manager, 2, 1, 1, 3, 3);
        // A geometry that no other test uses, so that its constants are made inside the scope.
        NDArray first;
        try (NDScope scope = new NDScope()) {
            scope.suppressNotUsedWarning();
            first = Convolutions.convTranspose2d(x, weight, null, 7, 0, 6);
            NDScope.unregister(first);
        }
        assertSame("again", first, Convolutions.convTranspose2d(x, weight, null, 7, 0, 6));
    }

    @Test
    void threadsShareTheModule(NDManager manager) throws Exception {
        NDArray x = normal(manager, 1, 2, 3, 6, 6);
        NDArray weight = normal(manager, 2, 3, 4, 5, 5);
        weight.setRequiresGradient(true);
        NDArray expected = Convolutions.convTranspose2d(x, weight, null, 2, 2, 1);
        ExecutorService pool = Executors.newFixedThreadPool(4);
        try {
            List<Future<NDArray>> results = new ArrayList<>();
            for (int i = 0; i < 40; i++) {
                results.add(
                        pool.submit(
                                () ->
                                        NoGraph.during(
                                                () ->
                                                        Convolutions.convTranspose2d(
                                                                x, weight, null, 2, 2, 1))));
            }
            for (Future<NDArray> result : results) {
                assertSame("in another thread", expected, result.get());
                assertFalse(result.get().hasGradient());
            }
        } finally {
            pool.shutdownNow();
        }
    }

    @ParameterizedTest
    @EnumSource(names = {"FLOAT16", "FLOAT32", "FLOAT64"})
    void keepsTheType(DataType type, NDManager manager) {
        NDArray x = normal(manager, 1, DOUBLE, 1, 2, 3, 3);
        NDArray weight = normal(manager, 2, DOUBLE, 2, 2, 3, 3);
        NDArray expected = Convolutions.convTranspose2d(x, weight, null, 1, 1, 0);
        NDArray y =
                Convolutions.convTranspose2d(
                        x.toType(type, false), weight.toType(type, false), null, 1, 1, 0);
        assertEquals(type, y.getDataType());
        assertClose(type.name(), expected, y.toType(DOUBLE, false), 2e-3);
    }

    @ParameterizedTest
    @CsvSource({"3, 1, 1, 1", "64, 5, 1, 2", "7, 3, 2, 1", "2, 1, 1, 0"})
    void float32IsFloat64UpToRoundingHoweverArraysLie(
            int channels, int kernel, int stride, int padding, NDManager manager) {
        NDArray x = normal(manager, 1, DOUBLE, 2, channels, 9, 6);
        NDArray weight = normal(manager, 2, DOUBLE, 5, channels, kernel, kernel);
        NDArray bias = normal(manager, 3, DOUBLE, 5);
        NDArray expected = Convolutions.conv2d(x, weight, bias, stride, padding);
        NDArray w = weight.toType(DataType.FLOAT32, false);
        NDArray b = bias.toType(DataType.FLOAT32, false);
        NDArray rows = x.toType(DataType.FLOAT32, false);
        NDArray columns = rows.swapAxes(2, 3).duplicate().swapAxes(2, 3);
        for (NDArray lying : new NDArray[] {rows, columns}) {
            NDArray y = Convolutions.conv2dChannelsLast(lying, w, b, stride, padding);
            assertClose("y", expected, y.toType(DOUBLE, false), 1e-4);
            // Read row by row, flattened, cut and summed as if it lay so.
            assertClose("flat", expected.flatten(), y.flatten().toType(DOUBLE, false), 1e-4);
            assertClose(
                    "cut",
                    expected.get(":, 1:4, 2:, :2").flatten(),
                    y.get(":, 1:4, 2:, :2").flatten().toType(DOUBLE, false),
                    1e-4);
            float[] read = y.toFloatArray();
            double[] wanted = expected.toDoubleArray();
            double largest = Tensors.largest(expected);
            for (int i = 0; i < wanted.length; i++) {
                assertEquals(wanted[i], read[i], 1e-5 * largest, "element " + i);
            }
            NDArray without = Convolutions.conv2dChannelsLast(lying, w, null, stride, padding);
            assertClose("without bias", y, without.add(b.reshape(1, 5, 1, 1)), 1e-5);
        }
    }

    @Test
    void gradientsOfFloat32AreThoseOfFloat64(NDManager manager) {
        NDArray[] exact = gradients(manager, DOUBLE);
        NDArray[] single = gradients(manager, DataType.FLOAT32);
        for (int i = 0; i < exact.length; i++) {
            assertClose("gradient " + i, exact[i], single[i].toType(DOUBLE, false), 1e-4);
        }
    }

    /** Of a convolution and a transposed one with an activation in place between them. */
    private static NDArray[] gradients(NDManager manager, DataType type) {
        NDArray x = normal(manager, 1, DOUBLE, 2, 3, 6, 5).toType(type, true);
        NDArray w = normal(manager, 2, DOUBLE, 4, 3, 3, 3).toType(type, true);
        NDArray v = normal(manager, 3, DOUBLE, 4, 2, 3, 3).toType(type, true);
        NDArray[] leaves = {x, w, v};
        for (NDArray leaf : leaves) {
            leaf.setRequiresGradient(true);
        }
        try (GradientCollector collector = Engine.getEngine("PyTorch").newGradientCollector()) {
            NDArray h =
                    ScriptedOps.leakyReluInPlace(
                            Convolutions.conv2dChannelsLast(x, w, null, 1, 1), 0.1);
            NDArray y = Convolutions.convTranspose2d(h, v, null, 2, 1, 1);
            collector.backward(y.square().mean());
        }
        NDArray[] gradients = new NDArray[leaves.length];
        for (int i = 0; i < leaves.length; i++) {
            gradients[i] = leaves[i].getGradient();
        }
        return gradients;
    }

    @Test
    void badInputsAreRefused(NDManager manager) {
        NDArray x = normal(manager, 1, 1, 2, 3, 3);
        NDArray weight = normal(manager, 2, 2, 4, 3, 3);
        NDArray bias = normal(manager, 3, 4);
        refused("x must be (B, C, H, W)", x.reshape(2, 3, 3), weight, bias, 1, 1, 0);
        refused("weight must be (2, O, ", x, normal(manager, 2, 4, 2, 3, 3), bias, 1, 1, 0);
        refused("bias must be (4), got (2)", x, weight, normal(manager, 3, 2), 1, 1, 0);
        refused("weight must be float32", x, weight.toType(DOUBLE, false), bias, 1, 1, 0);
        refused("bias must be float32", x, weight, bias.toType(DOUBLE, false), 1, 1, 0);
        refused("each size at least 1", x, manager.zeros(new Shape(2, 0, 3, 3)), null, 1, 1, 0);
        refused("stride must be at least 1, got 0", x, weight, bias, 0, 1, 0);
        refused("padding must be at least 0, got -1", x, weight, bias, 1, -1, 0);
        refused("below the stride, got 1 and 1", x, weight, bias, 1, 1, 1);
        refused("output padding must be at least 0", x, weight, bias, 1, 1, -1);
        refused("output size must be at least 1, got -1", x, weight, bias, 1, 3, 0);
    }

    private static void refused(
            String message,
            NDArray x,
            NDArray weight,
            NDArray bias,
            int stride,
            int padding,
            int outputPadding) {
        IllegalArgumentException e =
                assertThrows(
                        IllegalArgumentException.class,
                        () ->
                                Convolutions.convTranspose2d(
                                        x, weight, bias, stride, padding, outputPadding));
        assertTrue(
                e.getMessage().startsWith("convTranspose2d: ") && e.getMessage().contains(message),
                e.getMessage());
    }
}
