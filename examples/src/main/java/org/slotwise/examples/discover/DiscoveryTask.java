package org.slotwise.examples.discover;

import java.util.Arrays;
import java.util.List;
import java.util.stream.Collectors;
import org.slotwise.data.Scenes;
import org.slotwise.data.generated.MultiDSprites;
import org.slotwise.data.generated.Tetrominoes;
import org.slotwise.examples.shared.SceneScoring;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.TypeConversionException;

/** The kinds of scenes in which objects are discovered, each with its model and its recipe. */
public enum DiscoveryTask {
    /** Three objects, and one slot for the background. */
    TETROMINOES(
            "tetrominoes",
            new DiscoveryLayout(
                    35, 3, 48, new GridStart(List.of(0.3f, 0.7f), List.of(0.3f, 0.7f)), 32),
            new DiscoveryRecipe(15_000, 1.2e-3, 3, 5, 10, 0.05, 2, 0.1f),
            1e-3) {
        @Override
        public Scenes scenes(long seed, long count) {
            return Tetrominoes.builder().setSize(count).optSeed(seed).build();
        }

        @Override
        List<Trial> trials(long seed, long count) {
            return List.of(new Trial("3 objects, 4 slots", scenes(seed, count), 4));
        }
    },

    /** Two to five sprites, and one slot for the background. */
    MULTI_DSPRITES(
            "multi-dsprites",
            new DiscoveryLayout(64, 4, 48, new ColourStart(6, 64, 4), 48),
            new DiscoveryRecipe(15_000, 1.2e-3, 5, 5, 5, 0.05, 3, 0),
            1e-3) {
        @Override
        public Scenes scenes(long seed, long count) {
            return MultiDSprites.builder().setSize(count).optSeed(seed).build();
        }

        @Override
        List<Trial> trials(long seed, long count) {
            Scenes usual = scenes(seed, count);
            Scenes crowded =
                    MultiDSprites.builder().setSize(count).optSeed(seed).optSprites(6, 8).build();
            return List.of(
                    new Trial("2 to 5 objects, 6 slots, as trained", usual, 6),
                    new Trial("2 to 5 objects, 9 slots", usual, 9),
                    new Trial("6 to 8 objects, 6 slots", crowded, 6),
                    new Trial("6 to 8 objects, 9 slots", crowded, 9));
        }
    };

    private final String label;
    private final DiscoveryLayout layout;
    private final DiscoveryRecipe recipe;
    private final double eps;

    DiscoveryTask(String label, DiscoveryLayout layout, DiscoveryRecipe recipe, double eps) {
        this.label = label;
        this.layout = layout;
        this.recipe = recipe;
        this.eps = eps;
    }

    /**
     * The scenes.
     *
     * @param seed which ones
     * @param count how many
     */
    public abstract Scenes scenes(long seed, long count);

    /**
     * Scenes and numbers of slots with which a model can be tried, the trained ones first.
     *
     * @param seed which scenes
     * @param count how many
     */
    abstract List<Trial> trials(long seed, long count);

    /**
     * Scores what segments scenes of this kind.
     *
     * @param seed which ones
     * @param count how many
     */
    public SceneScoring scoring(long seed, int count) {
        return scoring(scenes(seed, count));
    }

    /** Scores what segments such scenes, or others of their size. */
    SceneScoring scoring(Scenes scenes) {
        return new SceneScoring(scenes, layout.side(), layout.slots());
    }

    /**
     * A number of slots on scenes of some kind.
     *
     * @param name what it is called
     * @param scenes the scenes
     * @param slots how many slots the model has
     */
    record Trial(String name, Scenes scenes, int slots) {}

    DiscoveryLayout layout() {
        return layout;
    }

    /** How its model is trained. */
    public DiscoveryRecipe recipe() {
        return recipe;
    }

    /** What is added to the attention of each slot to each feature, if not said otherwise. */
    double eps() {
        return eps;
    }

    /** The file of a model, as these examples bring one and as training names it. */
    String fileName() {
        return label + ".safetensors";
    }

    @Override
    public String toString() {
        return label;
    }

    /** Finds a task by its name. */
    static final class Parser implements ITypeConverter<DiscoveryTask> {

        @Override
        public DiscoveryTask convert(String name) {
            return Arrays.stream(values())
                    .filter(task -> task.label.equals(name))
                    .findFirst()
                    .orElseThrow(
                            () ->
                                    new TypeConversionException(
                                            "expected " + names() + ", got " + name));
        }

        private static String names() {
            return Arrays.stream(values())
                    .map(DiscoveryTask::toString)
                    .collect(Collectors.joining(" or "));
        }
    }
}
