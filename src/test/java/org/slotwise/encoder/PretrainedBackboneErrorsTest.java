package org.slotwise.encoder;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.slotwise.encoder.Backbones.FOLDER;
import static org.slotwise.encoder.Backbones.tiny;
import static org.slotwise.testing.Errors.assertRefused;

import ai.djl.MalformedModelException;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.training.ParameterStore;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.slotwise.testing.OnDevice;

/** Every promised error of a backbone, and what damaged files do. */
@ExtendWith(OnDevice.class)
class PretrainedBackboneErrorsTest {

    private static final String WHO = "PretrainedBackbone: ";

    private static String malformed(PretrainedBackbone.Builder builder) {
        return assertThrows(MalformedModelException.class, builder::build).getMessage();
    }

    @Test
    void options() {
        assertRefused(
                WHO + "file is missing",
                () -> PretrainedBackbone.builder().setImageSize(8, 8).build());
        assertRefused(
                WHO + "imageSize must be at least 1, got 0 by 24",
                () -> tiny("tiny.pt").setImageSize(0, 24).build());
        assertRefused(
                WHO + "prefixTokens must be at least 0, got -1",
                () -> tiny("tiny.pt").optPrefixTokens(-1).build());
        assertRefused(
                WHO + "std must be 3 numbers above 0, got [1.0, 0.0, 1.0]",
                () ->
                        tiny("tiny.pt")
                                .optNormalisation(new double[3], new double[] {1, 0, 1})
                                .build());
        assertRefused(
                WHO + "mean must be 3 numbers, got [NaN]",
                () ->
                        tiny("tiny.pt")
                                .optNormalisation(new double[] {Double.NaN}, new double[] {1, 1, 1})
                                .build());
        assertRefused(
                WHO + "file must exist, got " + FOLDER.resolve("nowhere.pt"),
                () -> tiny("nowhere.pt").build());
        assertRefused(
                WHO + "file must exist, got " + FOLDER,
                () -> PretrainedBackbone.builder().setFile(FOLDER).setImageSize(8, 8).build());
        assertRefused(
                WHO + "only TorchScript can be trained, got " + FOLDER.resolve("tiny_tuple.onnx"),
                () -> tiny("tiny_tuple.onnx").optTrainable(true).build());
    }

    @Test
    void files(@TempDir Path folder) throws Exception {
        assertEquals(
                WHO
                        + "file must be TorchScript, "
                        + FOLDER.resolve("state_dict.pt")
                        + " holds a state dict or a pickled object, without code: write it by"
                        + " torch.jit.save(torch.jit.script(module))",
                malformed(tiny("state_dict.pt")));
        assertEquals(
                WHO
                        + "file must be TorchScript, "
                        + FOLDER.resolve("tiny.npz")
                        + " is another archive",
                malformed(tiny("tiny.npz")));
        byte[] whole = Files.readAllBytes(FOLDER.resolve("tiny.pt"));
        for (int length : new int[] {0, 10, whole.length / 2, whole.length - 1}) {
            Path cut = folder.resolve("cut" + length + ".pt");
            Files.write(cut, Arrays.copyOf(whole, length));
            assertEquals(
                    WHO + "file must be TorchScript, " + cut + " is not, or is cut short",
                    malformed(tiny("tiny.pt").setFile(cut)));
        }
        byte[] onnx = Files.readAllBytes(FOLDER.resolve("tiny_tuple.onnx"));
        Path cut = folder.resolve("cut.onnx");
        Files.write(cut, Arrays.copyOf(onnx, onnx.length / 2));
        String message = malformed(tiny("tiny_tuple.onnx").setFile(cut));
        assertTrue(message.startsWith(WHO + cut + " cannot be loaded: "), message);
    }

    @Test
    void outputs() {
        assertEquals(
                WHO
                        + "output 0 must be tokens (B, N, F) or maps (B, F, h, w), for 2 images got"
                        + " (2, 8)",
                malformed(tiny("pooled.pt")));
        assertEquals(
                WHO
                        + "output 0 must be tokens (B, N, F) or maps (B, F, h, w), for 2 images got"
                        + " (1, 768, 3)",
                malformed(tiny("one_image.pt")));
        assertEquals(
                WHO + "output must be one of [0, 1, 2], got 3",
                malformed(tiny("tiny_tuple.pt").optOutput("3")));
        assertEquals(
                WHO + "output must be one of [class, first, last], got none",
                malformed(tiny("tiny_tuple.onnx")));
        assertEquals(
                WHO
                        + "9 tokens of which 2 come before patches are no grid of square patches of an"
                        + " image of 16 by 24",
                malformed(tiny("tiny.pt").optPrefixTokens(2)));
        assertEquals(
                WHO
                        + "the network takes only one image at a time, the batch it was traced with;"
                        + " export it with a batch of any size",
                malformed(tiny("fixed_batch.pt").setImageSize(32, 32)));
        String number = malformed(tiny("number.pt"));
        assertTrue(number.startsWith(WHO + "the network cannot be run on images (2, 3, 16, 24): "));
        String size = malformed(tiny("tiny.pt").setImageSize(24, 24));
        assertTrue(size.startsWith(WHO + "the network cannot be run on images (2, 3, 24, 24): "));
        assertEquals(
                WHO + "the network has no parameters to train; was it frozen when exported?",
                malformed(tiny("constants.pt").optTrainable(true)));
    }

    @Test
    void bfloat16() {
        String message = malformed(tiny("bfloat16.pt"));
        assertTrue(
                message.startsWith(
                        WHO + "the network's parameters must be float32, float64 or float16, "),
                message);
    }

    @Test
    void prefixTokensCanBeGiven() throws Exception {
        try (PretrainedBackbone backbone = tiny("tiny.pt").optPrefixTokens(3).build()) {
            assertEquals(3, backbone.prefixTokens());
        }
    }

    @Test
    void images(NDManager manager) throws Exception {
        try (PretrainedBackbone backbone = tiny("tiny.pt").build()) {
            ParameterStore store = new ParameterStore(manager, false);
            NDArray larger = manager.zeros(new Shape(1, 3, 16, 32));
            assertRefused(
                    WHO + "images must be (B, 3, 16, 24), got (1, 3, 16, 32)",
                    () -> backbone.extract(store, larger, false));
            NDArray empty = manager.zeros(new Shape(0, 3, 16, 24));
            assertRefused(
                    WHO + "images must be (B, 3, 16, 24), each size at least 1, got (0, 3, 16, 24)",
                    () -> backbone.extract(store, empty, false));
            NDArray doubles = manager.zeros(new Shape(1, 3, 16, 24), DataType.FLOAT64);
            assertRefused(
                    WHO + "images must be float32 as the network, got float64",
                    () -> backbone.extract(store, doubles, false));
            assertRefused(
                    WHO + "parameters must be float32 as the network's file, got float64",
                    () -> backbone.initialize(manager, DataType.FLOAT64, new Shape(1, 3, 16, 24)));
        }
    }
}
