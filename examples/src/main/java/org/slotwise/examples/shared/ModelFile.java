package org.slotwise.examples.shared;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.function.Predicate;
import java.util.stream.Stream;
import java.util.zip.ZipEntry;
import java.util.zip.ZipFile;
import org.jspecify.annotations.Nullable;
import org.slotwise.model.ObjectDiscoveryModel;
import org.slotwise.weights.StateDict;

/**
 * Reads the model of a program; or says what a file is that it cannot take for one, and which
 * commands take it: models of all programs look alike from outside.
 */
public final class ModelFile {

    private static final String CONFIGURATION = "model.json";
    private static final String FORMAT = "format";

    /** A program whose models are files of weights that say what they are made from. */
    public enum Maker {
        /** Finds objects. */
        DISCOVER(
                said -> said.containsKey("task") || said.containsKey("eps"),
                "evaluate",
                "show",
                "sweep"),
        /** Says which objects there are. */
        SETS(said -> said.containsKey("grouping"), "evaluate", "show"),
        /** Objects as codes. */
        EDIT(said -> said.containsKey("codes"), "evaluate", "show"),
        /** Pictures as tokens. */
        SLATE(said -> said.containsKey("slate.image_size"), "evaluate", "show", "compose"),
        /** Scenes as counted objects. */
        GNM(said -> said.containsKey("gnm.image_size"), "evaluate", "show", "generate", "package"),
        /** Pictures drawn from slots. */
        DIFFUSION(said -> said.containsKey("configuration"), "evaluate", "show", "compose");

        private final Predicate<Map<String, String>> wrote;
        private final List<String> commands;

        Maker(Predicate<Map<String, String>> wrote, String... commands) {
            this.wrote = wrote;
            this.commands = List.of(commands);
        }

        /** What is typed to call it. */
        public String program() {
            return "slotwise " + name().toLowerCase(Locale.ROOT);
        }

        /** The names of the commands that take its models. */
        public List<String> commands() {
            return commands;
        }
    }

    /**
     * Makes a model of what was read.
     *
     * @param <M> the model
     */
    @FunctionalInterface
    public interface Making<M> {
        /**
         * Makes the model.
         *
         * @param weights what the file has; closed afterwards
         * @return a model that is ready to use
         * @throws IllegalArgumentException if they are those of another model
         */
        M of(StateDict weights);
    }

    private ModelFile() {}

    /**
     * Reads the model of a program.
     *
     * @param program the program
     * @param file a safetensors file; null for the model that comes with the examples
     * @param reader a class in whose package that one lies
     * @param shipped its name
     * @param making makes the model of what was read
     * @param <M> the model
     * @return a model that is ready to use
     * @throws IOException if the file cannot be read, or is of another program, with a message for
     *     the user
     */
    public static <M> M read(
            Maker program, @Nullable Path file, Class<?> reader, String shipped, Making<M> making)
            throws IOException {
        try {
            if (file != null && !Files.isRegularFile(file)) {
                throw new IOException(
                        file
                                + " does not exist, or is not a file; \""
                                + program.program()
                                + " train\" writes one");
            }
            try (StateDict weights =
                    file == null ? ShippedWeights.read(reader, shipped) : StateDict.read(file)) {
                requireFinite(weights, String.valueOf(file));
                return making.of(weights);
            }
        } catch (IllegalArgumentException e) {
            String what = file == null ? "the model of these examples" : file.toString();
            IOException other =
                    new IOException(what + " is not of this program: " + e.getMessage(), e);
            throw explained(program, file, other);
        } catch (IOException e) {
            throw explained(program, file, e);
        }
    }

    /**
     * Refuses weights that are not finite: a model of NaN would be scored and drawn as if it were
     * one.
     *
     * @param weights what a file has
     * @param what the file
     * @throws IOException if a number is NaN or infinite
     */
    public static void requireFinite(StateDict weights, String what) throws IOException {
        try {
            weights.requireFinite();
        } catch (IllegalArgumentException e) {
            throw new IOException(what + " is damaged: " + e.getMessage(), e);
        }
    }

    /**
     * Explains why a program cannot take a file for its model.
     *
     * @param program the program; null for those that take whole models of pictures
     * @param file the file; null for the model that comes with the examples
     * @param e what went wrong
     * @return what to throw: it says what the file is, where that can be told, and which commands
     *     take it; otherwise {@code e}
     */
    public static IOException explained(
            @Nullable Maker program, @Nullable Path file, IOException e) {
        String is = file == null ? null : what(file, program);
        if (is == null) {
            return e;
        }
        String wanted =
                program == null
                        ? "a folder or .zip that \"slotwise train\" or \"slotwise package\" wrote"
                        : "a file that \"" + program.program() + " train\" wrote";
        return new IOException(file + " is " + is + "; this command takes " + wanted, e);
    }

    /** What a file or folder is; null for what is nothing known, or of the program itself. */
    private static @Nullable String what(Path file, @Nullable Maker program) {
        try {
            if (!Files.exists(file)) {
                return shipped(file, program);
            }
            if (Files.isDirectory(file)) {
                Path json = file.resolve(CONFIGURATION);
                String whole = Files.exists(json) ? whole(Files.readString(json), program) : null;
                return whole == null && program != null ? "a folder" : whole;
            }
            String name = String.valueOf(file.getFileName()).toLowerCase(Locale.ROOT);
            if (name.endsWith(".zip")) {
                return zipped(file, program);
            }
            return name.endsWith(".safetensors") ? weights(file, program) : null;
        } catch (IOException | IllegalArgumentException e) {
            return null; // what went wrong at first says more
        }
    }

    private static @Nullable String shipped(Path file, @Nullable Maker program) {
        if (program == null || !ObjectDiscoveryModel.shippedNames().contains(file.toString())) {
            return null;
        }
        String by = program == Maker.DISCOVER ? ", and \"slotwise discover\" by --data" : "";
        return "no file, but the name of a model that comes with the library, which"
                + " \"slotwise evaluate\", \"predict\", \"show\" and \"package\" take by --model"
                + by;
    }

    private static @Nullable String zipped(Path file, @Nullable Maker program) throws IOException {
        try (ZipFile zip = new ZipFile(file.toFile())) {
            ZipEntry entry = zip.getEntry(CONFIGURATION);
            return entry == null
                    ? null
                    : whole(
                            new String(
                                    zip.getInputStream(entry).readAllBytes(),
                                    StandardCharsets.UTF_8),
                            program);
        }
    }

    /** A whole model, by its configuration. */
    private static @Nullable String whole(String json, @Nullable Maker program) {
        if (json.contains("\"slotwise-latent-slot-diffusion\"")) {
            return program == Maker.DIFFUSION
                    ? null
                    : "a model of \"slotwise diffusion\", for its commands "
                            + String.join(", ", Maker.DIFFUSION.commands());
        }
        if (program != null && json.contains("\"slotwise-object-discovery\"")) {
            return "a model of \"slotwise train\", which \"slotwise evaluate\", \"predict\","
                    + " \"show\" and \"package\" take";
        }
        return program != null && json.contains("\"slotwise-gnm\"")
                ? "a model of \"slotwise gnm package\", which \"slotwise predict\" takes"
                : null;
    }

    /** Weights, by what they say beside their arrays. */
    private static @Nullable String weights(Path file, @Nullable Maker program) throws IOException {
        try (StateDict read = StateDict.read(file)) {
            Map<String, String> said = read.metadata();
            String format = Objects.requireNonNullElse(said.get(FORMAT), "");
            if (format.startsWith("slotwise-checkpoint")) {
                return "a checkpoint, with which a training goes on by --resume, and no model: the"
                        + " training names its model when it is done";
            }
            if (format.startsWith("slotwise-tokens")) {
                return "pictures as tokens, which \"slotwise slate train\" keeps by --tokens";
            }
            if (format.startsWith("slotwise-")) {
                return "the weights of a model in a folder or .zip, which commands take as a whole";
            }
            Stream<Maker> makers = Arrays.stream(Maker.values());
            Maker maker = makers.filter(one -> one.wrote.test(said)).findFirst().orElse(null);
            if (maker == null) {
                return "a file of weights that does not say of which model";
            }
            return maker == program
                    ? null
                    : "a model of \""
                            + maker.program()
                            + "\", for its commands "
                            + String.join(", ", maker.commands());
        }
    }
}
