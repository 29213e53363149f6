package org.slotwise.examples.slate;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.training.ParameterStore;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.stream.IntStream;
import java.util.stream.LongStream;
import org.jspecify.annotations.Nullable;
import org.slotwise.data.Scenes;
import org.slotwise.examples.shared.Checksum;
import org.slotwise.slate.DiscreteVae;
import org.slotwise.weights.StateDict;

/**
 * The most probable tokens of pictures. They are kept in a file that says of which auto-encoder and
 * which pictures they are: a later training on the same reads them instead.
 */
final class PictureTokens {

    private static final int BATCH = 64;
    private static final String TOKENS = "tokens";
    private static final String FORMAT = "format";
    private static final String VERSION = "slotwise-tokens-1";
    private static final String DVAE = "dvae";
    private static final String PICTURES = "pictures";

    private final int[] tokens;
    private final int each;

    private PictureTokens(int[] tokens, int each) {
        this.tokens = tokens;
        this.each = each;
    }

    /**
     * Reads the tokens from a file, or makes and writes them.
     *
     * @param dvae the auto-encoder
     * @param pictures the pictures
     * @param file where they are kept; null for nowhere
     * @throws IOException if pictures cannot be read, or the file is one of something else
     */
    static PictureTokens of(DiscreteVae dvae, TrainingPictures pictures, @Nullable Path file)
            throws IOException {
        if (file == null) {
            return encoded(dvae, pictures.scenes());
        }
        Map<String, String> origin =
                Map.of(
                        FORMAT,
                        VERSION,
                        DVAE,
                        Checksum.of(StateDict.of(dvae)),
                        PICTURES,
                        pictures.name());
        PictureTokens known = read(file, origin);
        if (known != null) {
            return known;
        }
        PictureTokens made = encoded(dvae, pictures.scenes());
        try (NDManager manager = NDManager.newBaseManager()) {
            NDArray array = manager.create(made.tokens, new Shape(made.size(), made.each));
            StateDict.of(Map.of(TOKENS, array)).withMetadata(origin).write(file);
        }
        return made;
    }

    /** What a file has of these pictures; null if it is not there, or is of others. */
    private static @Nullable PictureTokens read(Path file, Map<String, String> origin)
            throws IOException {
        if (!Files.exists(file)) {
            return null;
        }
        try (StateDict dict = StateDict.read(file)) {
            if (!VERSION.equals(dict.metadata().get(FORMAT))) {
                throw new IOException(
                        file + " has no tokens, and is not overwritten: name another by --tokens");
            }
            if (!dict.metadata().equals(origin)) {
                return null;
            }
            NDArray array = dict.get(TOKENS);
            return new PictureTokens(
                    array.toType(DataType.INT32, false).toIntArray(),
                    Math.toIntExact(array.getShape().get(1)));
        }
    }

    /** Encodes all pictures. */
    static PictureTokens encoded(DiscreteVae dvae, Scenes scenes) throws IOException {
        int[] tokens = new int[0];
        int each = 0;
        int count = Math.toIntExact(scenes.size());
        for (int from = 0; from < count; from += BATCH) {
            int to = Math.min(count, from + BATCH);
            try (NDManager manager = NDManager.newBaseManager()) {
                NDArray images =
                        TrainingPictures.images(
                                manager, scenes, LongStream.range(from, to).toArray());
                NDArray some = dvae.tokens(new ParameterStore(manager, false), images);
                if (from == 0) {
                    each = Math.toIntExact(some.getShape().get(1));
                    tokens = new int[Math.multiplyExact(count, each)];
                }
                long[] values = some.toLongArray();
                for (int i = 0; i < values.length; i++) {
                    tokens[from * each + i] = (int) values[i];
                }
            }
        }
        return new PictureTokens(tokens, each);
    }

    /** How many pictures there are. */
    int size() {
        return tokens.length / each;
    }

    /** How many different tokens there are. */
    int used() {
        return (int) IntStream.of(tokens).distinct().count();
    }

    /** Those of some pictures, (B, L) int64. */
    NDArray some(NDManager manager, int... pictures) {
        long[] values = new long[pictures.length * each];
        for (int b = 0; b < pictures.length; b++) {
            for (int i = 0; i < each; i++) {
                values[b * each + i] = tokens[pictures[b] * each + i];
            }
        }
        return manager.create(values, new Shape(pictures.length, each));
    }
}
