package org.slotwise.examples;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.slotwise.examples.shared.ModelFile.Maker;
import org.slotwise.examples.shared.Run;
import org.slotwise.weights.StateDict;

/** Models given to programs that did not make them: what they are, and which commands take them. */
class OtherModelsTest {

    @TempDir Path folder;

    private static Run run(String... args) {
        return Run.of(Slotwise.command(), args);
    }

    private static String[] args(String command, Path model) {
        List<String> args = new ArrayList<>(List.of(command.split(" ")));
        args.addAll(List.of("--model", model.toString()));
        if (command.equals("gnm package")) {
            args.addAll(List.of("--out", model.resolveSibling("out.zip").toString()));
        }
        return args.toArray(String[]::new);
    }

    private static String command(Maker maker, String name) {
        return maker.program().substring("slotwise ".length()) + " " + name;
    }

    /** The model that comes with the examples, as a file. */
    private Path shipped(Maker maker) throws IOException {
        String resource =
                switch (maker) {
                    case DISCOVER -> "/org/slotwise/model/tetrominoes.safetensors";
                    case SETS -> "sets/sets.safetensors";
                    case EDIT -> "edit/tetrominoes-discrete.safetensors";
                    case SLATE -> "slate/tetrominoes-slate.safetensors";
                    case GNM -> "gnm/counted-gnm.safetensors";
                    case DIFFUSION -> "diffusion/sprites-diffusion.safetensors";
                };
        Path file = folder.resolve("model.safetensors");
        try (InputStream in = Slotwise.class.getResourceAsStream(resource)) {
            assertNotNull(in, resource);
            Files.copy(in, file);
        }
        return file;
    }

    private static Stream<Arguments> pairs() {
        return Arrays.stream(Maker.values())
                .flatMap(
                        of ->
                                Arrays.stream(Maker.values())
                                        .filter(to -> to != of)
                                        .map(to -> Arguments.of(of, to)));
    }

    @ParameterizedTest
    @MethodSource("pairs")
    void saysWhoseModelItIs(Maker of, Maker to) throws IOException {
        Path file = shipped(of);
        for (String name : to.commands()) {
            Run run = run(args(command(to, name), file));
            run.fails(
                    1,
                    "--model: " + file + " is a model of \"" + of.program() + "\"",
                    "commands " + String.join(", ", of.commands()),
                    "takes a file that \"" + to.program() + " train\" wrote");
            assertFalse(run.err().contains("Model "), run.err());
        }
    }

    /** What a message promises is there. */
    @Test
    void theCommandsTakeAModel() {
        for (Maker maker : Maker.values()) {
            for (String name : maker.commands()) {
                run(args(command(maker, name), folder.resolve("missing.safetensors")))
                        .fails(1, "--model: ", "missing.safetensors does not exist");
            }
        }
    }

    @ParameterizedTest
    @MethodSource("makers")
    void weightsOfNanAreNoModel(Maker maker) throws IOException {
        Path file = shipped(maker);
        byte[] bytes = Files.readAllBytes(file);
        Arrays.fill(bytes, bytes.length - 4, bytes.length, (byte) 0xff);
        Files.write(file, bytes);
        run(args(command(maker, maker.commands().get(0)), file))
                .fails(1, file + " is damaged: ", " must be finite");
    }

    @ParameterizedTest
    @MethodSource("makers")
    void commandsForOnesOwnPicturesSayWhoseModelItIs(Maker of) throws IOException {
        Path file = shipped(of);
        for (String command : List.of("evaluate", "predict", "show", "distance")) {
            List<String> args = new ArrayList<>(List.of(command, "--model", file.toString()));
            Path images = Path.of("../docs/images");
            if (command.equals("distance")) {
                args.addAll(List.of("--real", images.toString(), "--other", images.toString()));
            } else {
                args.addAll(List.of("--images", images.toString()));
                if (command.equals("predict")) {
                    args.addAll(List.of("--out", folder.resolve("out").toString()));
                }
            }
            run(args.toArray(String[]::new))
                    .fails(
                            1,
                            "--model: " + file + " is a model of \"" + of.program() + "\"",
                            "takes a folder or .zip that \"slotwise train\"");
        }
    }

    private static Stream<Maker> makers() {
        return Arrays.stream(Maker.values());
    }

    @ParameterizedTest
    @MethodSource("makers")
    void saysWhatElseItIs(Maker to) throws IOException {
        String command = command(to, "evaluate");
        run(args(command, weights("slotwise-checkpoint-1")))
                .fails(1, "is a checkpoint, with which a training goes on by --resume");
        run(args(command, weights("slotwise-tokens-1"))).fails(1, "is pictures as tokens");
        run(args(command, weights("slotwise-object-discovery")))
                .fails(1, "the weights of a model in a folder or .zip");
        run(args(command, weights("pt"))).fails(1, "that does not say of which model");
        run(args(command, Path.of("tetrominoes")))
                .fails(1, "the name of a model that comes with the library");
        run(args(command, folder)).fails(1, "is a folder; this command takes a file");
        String json = "{\"format\": \"slotwise-object-discovery\"}";
        Path zip = folder.resolve("model.zip");
        try (ZipOutputStream out = new ZipOutputStream(Files.newOutputStream(zip))) {
            out.putNextEntry(new ZipEntry("model.json"));
            out.write(json.getBytes(UTF_8));
        }
        run(args(command, zip)).fails(1, "model.zip is a model of \"slotwise train\"");
        if (to != Maker.DIFFUSION) {
            Path other = Files.createDirectory(folder.resolve("other"));
            Files.writeString(
                    other.resolve("model.json"),
                    "{\"format\": \"slotwise-latent-slot-diffusion\"}");
            run(args(command, other)).fails(1, "other is a model of \"slotwise diffusion\"");
        }
        Files.writeString(folder.resolve("model.json"), json);
        run(args(command, folder)).fails(1, folder + " is a model of \"slotwise train\"");
    }

    private Path weights(String format) throws IOException {
        Path file = folder.resolve(format + ".safetensors");
        try (NDManager manager = NDManager.newBaseManager();
                NDArray one = manager.create(new float[] {1})) {
            StateDict.of(Map.of("one", one)).withMetadata(Map.of("format", format)).write(file);
        }
        return file;
    }
}
