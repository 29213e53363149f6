package org.slotwise.examples.diffusion;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.training.ParameterStore;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Random;
import java.util.concurrent.Callable;
import java.util.stream.IntStream;
import java.util.stream.LongStream;
import org.jspecify.annotations.Nullable;
import org.slotwise.clustering.KMeansOptions;
import org.slotwise.composition.CompositionRule;
import org.slotwise.composition.LibraryOptions;
import org.slotwise.composition.SlotLibrary;
import org.slotwise.data.Scenes;
import org.slotwise.examples.shared.HelpOption;
import org.slotwise.examples.shared.OutputFile;
import org.slotwise.examples.shared.Program;
import org.slotwise.examples.shared.Prompt;
import org.slotwise.examples.shared.SceneArrays;
import org.slotwise.grouping.PerceptualGroupingOutput;
import org.slotwise.model.LatentSlotDiffusion;
import org.slotwise.slate.SlotChoice;
import picocli.CommandLine.Command;
import picocli.CommandLine.ExitCode;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** The command "compose" of {@link DiffuseSlots}. */
@Command(
        name = "compose",
        description = {
            "Draws pictures of slots of several pictures. Without a prompt, slots are clustered by"
                    + " k-means, and a picture is made of one background and some objects of others;"
                    + " or slot k of a picture is that of the k-th picture after it. Draws a row for"
                    + " each: what belongs to each slot in its own picture, and the picture that was"
                    + " drawn.",
            ""
        },
        sortOptions = false)
final class ComposeDiffusion implements Callable<Integer> {

    private static final int MAX_SCENES = 1000;
    private static final int MAX_PICTURES = 64;
    private static final int MAX_OBJECTS = 100;

    /** A share of the attention, in relation to 1 / K, below which slots are empty. */
    private static final double LEAST_SHARE = 0.02;

    /** From how many random starts the best clusters are kept. */
    private static final int STARTS = 8;

    private static final int SAMPLE = 10_000; // slots on which they run

    @Option(
            names = "--scenes",
            defaultValue = "64",
            paramLabel = "NUMBER",
            description =
                    "How many pictures slots are taken from, 1 to "
                            + MAX_SCENES
                            + ". Default: ${DEFAULT-VALUE}.")
    private int scenes;

    @Option(
            names = "--pictures",
            defaultValue = "8",
            paramLabel = "NUMBER",
            description =
                    "How many pictures are drawn, 1 to "
                            + MAX_PICTURES
                            + ". Default: ${DEFAULT-VALUE}.")
    private int pictures;

    /** Which slots are put together. */
    enum Rule {
        /** One of the background's cluster, and some of others. */
        OBJECTS,
        /** One of each of some pictures in a row. */
        SHIFTED
    }

    @Option(
            names = "--rule",
            defaultValue = "OBJECTS",
            paramLabel = "RULE",
            description =
                    "Which slots are put together: OBJECTS, a background and some objects; SHIFTED,"
                            + " slot k of the k-th picture after it. Default: ${DEFAULT-VALUE}.")
    private Rule rule;

    @Option(
            names = "--objects",
            defaultValue = "3",
            paramLabel = "NUMBER",
            description = "How many objects, 1 to " + MAX_OBJECTS + ". Default: ${DEFAULT-VALUE}.")
    private int objects;

    @Option(
            names = "--prompt",
            paramLabel = "P:S,P:S...",
            converter = Prompt.Parser.class,
            description =
                    "Which slots are put together, each as the number of its picture and its own,"
                            + " both from 0: 0:1,0:2,3:0. May be given several times.")
    private @Nullable List<Prompt> prompts;

    @Option(
            names = "--distance",
            defaultValue = "0",
            paramLabel = "NUMBER",
            description =
                    "Composes so many pictures, 2 to "
                            + MAX_SCENES
                            + ", of slots of as many, by both decoders, and tells how far they are"
                            + " from real ones; no figure then. 0 for none. Default:"
                            + " ${DEFAULT-VALUE}.")
    private int distance;

    @Mixin private DiffusionOptions options;

    @Option(
            names = "--output",
            defaultValue = "composed.png",
            paramLabel = "FILE",
            description = "Where the figure goes, a PNG file. Default: ${DEFAULT-VALUE}.")
    private Path output;

    @Mixin private HelpOption help;

    @Spec private CommandSpec spec;

    @Override
    public Integer call() throws IOException {
        options.check(spec);
        Program.requireRange(spec, "--scenes", scenes, 1, MAX_SCENES);
        Program.requireRange(spec, "--pictures", pictures, 1, MAX_PICTURES);
        Program.requireRange(spec, "--objects", objects, 1, MAX_OBJECTS);
        if (Program.isGiven(spec, "--distance")) {
            Program.requireRange(spec, "--distance", distance, 2, MAX_SCENES);
            Program.refuseBeside(
                    spec, "--distance", "--scenes", "--pictures", "--prompt", "--output");
            return measured();
        }
        Program.refuseBeside(spec, "--prompt", "--pictures", "--rule", "--objects");
        Program.require(
                spec,
                rule == Rule.OBJECTS || !Program.isGiven(spec, "--objects"),
                "--objects needs --rule OBJECTS",
                rule);
        Program.requirePng(spec, output);
        options.refuseAmongPictures(spec, "--output", output);
        OutputFile file = new OutputFile(output);
        file.check(options.model());
        PrintWriter out = spec.commandLine().getOut();
        try (NDManager manager = NDManager.newBaseManager();
                LatentSlotDiffusion model = options.load(spec, manager)) {
            Scenes from = options.scenes(spec, model, scenes, 1);
            NDArray images =
                    SceneArrays.images(manager, from, LongStream.range(0, from.size()).toArray());
            file.write(
                    new DiffusionFigure(model, options.sampling(model, out), options.seed())
                            .compositions(images, chosen(model, images, out)));
        }
        options.tellOfSprites(out);
        out.printf("Figure: %s%n", output.toAbsolutePath().normalize());
        return ExitCode.OK;
    }

    private int measured() throws IOException {
        PrintWriter out = spec.commandLine().getOut();
        try (NDManager manager = NDManager.newBaseManager();
                LatentSlotDiffusion model = options.load(spec, manager)) {
            Scenes all = options.scenes(spec, model, 2 * distance, 4);
            pictures = (int) Math.min(distance, all.size() / 2);
            long[] first = LongStream.range(0, pictures).toArray();
            NDArray images = SceneArrays.images(manager, all, first);
            int slots = model.madeFrom().discovery().slots();
            new ComposedDistance(model, options.sampling(model, out), options.seed())
                    .report(out, all, drawn(model, images, slots, out));
        }
        return ExitCode.OK;
    }

    private List<List<SlotChoice>> chosen(
            LatentSlotDiffusion model, NDArray images, PrintWriter out) {
        int slots = model.madeFrom().discovery().slots();
        if (prompts == null) {
            return drawn(model, images, slots, out);
        }
        List<List<SlotChoice>> chosen = new ArrayList<>();
        for (Prompt prompt : prompts) {
            prompt.check(spec, images.size(0), slots);
            chosen.add(prompt.slots());
        }
        return chosen;
    }

    private List<List<SlotChoice>> drawn(
            LatentSlotDiffusion model, NDArray images, int slots, PrintWriter out) {
        PerceptualGroupingOutput seen =
                model.slots(new ParameterStore(images.getManager(), false), images, false);
        long own = model.madeFrom().discovery().slotDim();
        SlotLibrary library =
                SlotLibrary.of(
                        // Alike is what looks alike, wherever it is.
                        seen.objects().get(":, :, :{}", own),
                        seen.attributions().mean(new int[] {2}),
                        LibraryOptions.builder()
                                .optClustering(
                                        KMeansOptions.builder()
                                                .optNInit(STARTS)
                                                .optSample(SAMPLE)
                                                .optSeed(0)
                                                .build())
                                .build());
        out.printf(
                "clusters of %s slots, their shares of attention %s%n",
                IntStream.range(0, library.clusters()).mapToObj(library::count).toList(),
                IntStream.range(0, library.clusters())
                        .mapToObj(i -> String.format(Locale.ROOT, "%.3f", library.meanShare(i)))
                        .toList());
        List<List<SlotChoice>> chosen = new ArrayList<>();
        Random random = new Random(options.seed());
        for (int i = 0; i < pictures; i++) {
            int[] rows =
                    rule == Rule.SHIFTED
                            ? library.compose(pictures, CompositionRule.shifted(), 0).rows(i)
                            : library.compose(1, clusters(library, random), random.nextLong())
                                    .rows(0);
            chosen.add(
                    IntStream.of(rows)
                            .mapToObj(row -> new SlotChoice(row / slots, row % slots))
                            .toList());
        }
        return chosen;
    }

    /**
     * A background, and objects: of clusters whose share of attention is above, and below, that of
     * slots that share it evenly.
     */
    private CompositionRule clusters(SlotLibrary library, Random random) {
        double even = 1.0 / library.slotsPerPicture();
        int[] grounds = between(library, even, Double.POSITIVE_INFINITY);
        int[] things = between(library, LEAST_SHARE * even, even);
        int ground =
                grounds.length == 0
                        ? library.background()
                        : grounds[random.nextInt(grounds.length)];
        int count = things.length == 0 ? 0 : objects;
        IntStream drawn = IntStream.range(0, count).map(i -> things[random.nextInt(things.length)]);
        return CompositionRule.of(IntStream.concat(IntStream.of(ground), drawn).toArray());
    }

    private static int[] between(SlotLibrary library, double least, double most) {
        return IntStream.range(0, library.clusters())
                .filter(i -> library.meanShare(i) > least && library.meanShare(i) <= most)
                .toArray();
    }
}
