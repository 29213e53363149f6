package org.slotwise.weights;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ai.djl.ndarray.types.Shape;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.slotwise.testing.OnDevice;
import org.slotwise.testing.Tensors;

/** What stands beside weights in checkpoints (make_refused.py), and marks that tensors have. */
@ExtendWith(OnDevice.class)
class TorchCheckpointTest {

    private static final String LOAD = "torch.load(path, map_location=\"cpu\", weights_only=";

    @TempDir Path folder;

    private Path file(String name) throws IOException {
        return Files.write(folder.resolve(name), StateDictFileTest.bytesOf(name));
    }

    private static ReadOptions only(String name) {
        return ReadOptions.builder().optOnly(name::equals).build();
    }

    /** torch.save keeps the sign of a negative view as a mark beside the tensor. */
    @Test
    void minusStays() throws IOException {
        try (StateDict dict = StateDict.read(file("conj_imag.pt"))) {
            assertArrayEquals(new double[] {-2, -4}, Tensors.doubles(dict.get("ci")));
            assertArrayEquals(new double[] {1, 1}, Tensors.doubles(dict.get("w")));
        }
        try (StateDict dict = StateDict.read(file("refused_negative.pt"))) {
            assertArrayEquals(new double[] {-2, 4}, Tensors.doubles(dict.get("i")));
            assertArrayEquals(new double[] {-2, 4}, Tensors.doubles(dict.get("half")));
        }
    }

    @Test
    void readsParametersWithAttributes() throws IOException {
        try (StateDict dict = StateDict.read(file("param_attr.pt"))) {
            assertEquals(List.of("w"), List.copyOf(dict.names()));
            assertArrayEquals(new double[] {1, 1, 1}, Tensors.doubles(dict.get("w")));
        }
    }

    @ParameterizedTest
    @CsvSource({
        "sched_multistep.pt, model_state_dict.",
        "bytes.pt, model.",
        "tuple_key.pt, model.",
        "np_scalar.pt, model.",
        "namespace.pt, ''"
    })
    void passesOverValuesBesideWeights(String name, String prefix) throws IOException {
        try (StateDict all = StateDict.read(file(name));
                StateDict dict = all.under(prefix)) {
            assertEquals(
                    new TreeSet<>(List.of("norm.weight", "norm.bias", "lin.weight", "lin.bias")),
                    new TreeSet<>(dict.names()));
            assertEquals(new Shape(4), dict.get("norm.weight").getShape());
            assertEquals(new Shape(4), dict.get("norm.bias").getShape());
            assertEquals(new Shape(3, 4), dict.get("lin.weight").getShape());
            assertEquals(new Shape(3), dict.get("lin.bias").getShape());
        }
    }

    @Test
    void readsLightningsSchedulers() throws IOException {
        try (StateDict dict = StateDict.read(file("lightning_multistep.ckpt"))) {
            assertEquals(
                    new TreeSet<>(
                            List.of(
                                    "model.0.weight",
                                    "model.0.bias",
                                    "model.1.weight",
                                    "model.1.bias")),
                    new TreeSet<>(dict.names()));
            assertEquals(new Shape(2, 4), dict.get("model.1.weight").getShape());
        }
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "f8.pt",
                "sparse.pt",
                "refused_quantized.pt",
                "refused_sparse_csr.pt",
                "refused_uint16.pt",
                "refused_int16.pt",
                "refused_meta.pt",
                "refused_conjugate.pt"
            })
    void othersMayBeOfAnyKind(String name) throws IOException {
        Path file = file(name);
        try (StateDict dict = StateDict.read(file, only("w"))) {
            assertEquals(List.of("w"), List.copyOf(dict.names()));
            assertArrayEquals(new double[] {1, 1}, Tensors.doubles(dict.get("w")));
        }
        assertThrows(IOException.class, () -> StateDict.read(file));
    }

    private static String anew(String tensor, String change) {
        return "; pass it over by ReadOptions.optOnly, or write it anew in Python: w = "
                + LOAD
                + "True); "
                + tensor
                + " = "
                + change.replace("%s", tensor + ".detach()")
                + "; torch.save(w, new_path)";
    }

    private static String inside(String what, String optOnly, String weights) {
        return what
                + ", which has tensors inside; nothing was run. "
                + optOnly
                + " you trust the file, write its weights alone in Python: torch.save("
                + weights.replace("%s", LOAD + "False)")
                + ", new_path)";
    }

    static Stream<Arguments> refused() {
        String optOnly = "Pass it over by ReadOptions.optOnly, or if";
        return Stream.of(
                Arguments.of(
                        "f8.pt",
                        "s is of type float8_e4m3fn, which is not supported"
                                + anew("w[\"s\"]", "%s.float()")),
                Arguments.of(
                        "sparse.pt",
                        "s is a sparse tensor, which is not supported"
                                + anew("w[\"s\"]", "%s.to_dense()")),
                Arguments.of(
                        "refused_sparse_csr.pt",
                        "s is a sparse tensor, which is not supported"
                                + anew("w[\"s\"]", "%s.to_dense()")),
                Arguments.of(
                        "refused_quantized.pt",
                        "q is a quantized tensor, which is not supported"
                                + anew("w[\"q\"]", "%s.dequantize()")),
                Arguments.of(
                        "refused_int16.pt",
                        "u is of type short, which is not supported"
                                + anew("w[\"u\"]", "%s.long()")),
                Arguments.of(
                        "refused_meta.pt",
                        "m is a tensor of the device meta, without values, which is not"
                                + " supported; pass it over by ReadOptions.optOnly"),
                Arguments.of(
                        "refused_conjugate.pt",
                        "c is a conjugate view, which is not supported"
                                + anew(
                                        "w[\"state_dict\"][\"c\"]",
                                        "torch.view_as_real(%s.resolve_conj())")),
                Arguments.of(
                        "refused_module_in_dict.pt",
                        inside(
                                "model is an object of torch.nn.modules.linear.Linear",
                                optOnly,
                                "%s[\"model\"].state_dict()")),
                Arguments.of(
                        "refused_namespace_with_tensors.pt",
                        inside(
                                "all is an object of argparse.Namespace",
                                optOnly,
                                "{k: t for k, t in vars(%s[\"all\"]).items() if"
                                        + " torch.is_tensor(t)}")),
                Arguments.of(
                        "refused_namespace_with_module.pt",
                        inside(
                                "it is an object of argparse.Namespace",
                                "If",
                                "%s.best[\"net\"].state_dict()")));
    }

    /** The Python in these messages was run with these files: check_remedies.py. */
    @ParameterizedTest(name = "{0}")
    @MethodSource("refused")
    void saysWhichPythonMendsIt(String name, String message) throws IOException {
        Path file = file(name);
        IOException e = assertThrows(IOException.class, () -> StateDict.read(file));
        assertEquals("StateDict: " + file + ": " + message, e.getMessage());
    }

    /** What is not wanted is not looked into, whatever it has inside. */
    @Test
    void passesObjectsOverThatAreNotWanted() throws IOException {
        TorchTensor tensor =
                (TorchTensor)
                        TorchTensor.of(
                                List.of(
                                        new TorchTensor.Storage("Float", "0", 2),
                                        0L,
                                        List.of(2L),
                                        List.of(1L)),
                                false);
        TorchObject object = new TorchObject("argparse.Namespace", List.of());
        TorchDict inside = new TorchDict();
        inside.put("hidden", tensor);
        object.state(inside);
        TorchDict root = new TorchDict();
        root.put("w", tensor);
        root.put("all", object);
        assertEquals(Set.of("w"), TorchNames.of(root, only("w")).keySet());
        for (ReadOptions wanting : List.of(only("all"), ReadOptions.builder().build())) {
            IOException e = assertThrows(IOException.class, () -> TorchNames.of(root, wanting));
            assertTrue(e.getMessage().contains("which has tensors inside"), e.getMessage());
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"refused_module_legacy.pt", "refused_dict_legacy.pt"})
    void refusesLegacyFiles(String name) throws IOException {
        Path file = file(name);
        IOException e = assertThrows(IOException.class, () -> StateDict.read(file));
        assertTrue(e.getMessage().contains("a bare pickle"), e.getMessage());
    }
}
