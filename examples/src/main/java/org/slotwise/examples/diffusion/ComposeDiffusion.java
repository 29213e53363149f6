package org.slotwise.examples.diffusion;

import ai.djl.ndarray.NDManager;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import org.slotwise.data.Scenes;
import org.slotwise.diffusion.SamplingProgress;
import org.slotwise.distance.PictureFeatures;
import org.slotwise.examples.diffusion.TwoDecoders.By;
import org.slotwise.examples.shared.Checksum;
import org.slotwise.examples.shared.DistanceFeatures;
import org.slotwise.examples.shared.HelpOption;
import org.slotwise.examples.shared.OutputFile;
import org.slotwise.examples.shared.OutputFolder;
import org.slotwise.examples.shared.Program;
import org.slotwise.examples.shared.ProgressLines;
import org.slotwise.examples.shared.Prompt;
import org.slotwise.examples.shared.StopRequest;
import org.slotwise.examples.shared.WrittenFiles;
import org.slotwise.model.LatentSlotDiffusion;
import org.slotwise.slate.SlotChoice;
import org.slotwise.weights.StateDict;
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
            "Makes pictures of slots of several pictures, by the decoder of the first stage and by"
                    + " diffusion. Without a prompt, slots are clustered by k-means, and a picture"
                    + " is made of one background and some objects of others; or slot k of a picture"
                    + " is that of the k-th picture after it. Draws a row for each: what belongs to"
                    + " each slot in its own picture, and the pictures that the two decoders make."
                    + " With --folder it writes each picture to a file, with --distance it tells how"
                    + " far they are from real ones.",
            ""
        },
        sortOptions = false)
final class ComposeDiffusion implements Callable<Integer> {

    private static final int MAX_SCENES = 100_000;
    private static final int USUAL_SCENES = 64;
    private static final int MAX_PICTURES = 64;
    private static final int MAX_COUNT = 1_000_000;
    private static final int MAX_REPEATS = 100;
    private static final String FIRST_STAGE = "first-stage";
    private static final String DIFFUSION = "diffusion";

    @Option(
            names = "--scenes",
            paramLabel = "NUMBER",
            description =
                    "How many pictures slots are taken from, 1 to "
                            + MAX_SCENES
                            + ". Default: "
                            + USUAL_SCENES
                            + "; with --folder as many as are made, "
                            + MAX_SCENES
                            + " at most.")
    private @Nullable Integer scenes;

    @Option(
            names = "--pictures",
            defaultValue = "8",
            paramLabel = "NUMBER",
            description =
                    "How many pictures the figure has, 1 to "
                            + MAX_PICTURES
                            + ". Default: ${DEFAULT-VALUE}.")
    private int pictures;

    @Mixin private ComposerOptions composers;

    @Option(
            names = "--prompt",
            paramLabel = "P:S,P:S...",
            converter = Prompt.Parser.class,
            description =
                    "Which slots are put together, each as the number of its picture and its own,"
                            + " both from 0: 0:1,0:2,3:0. May be given several times.")
    private @Nullable List<Prompt> prompts;

    @Option(
            names = "--folder",
            paramLabel = "FOLDER",
            description =
                    "Writes pictures as PNG files, and no figure: FOLDER/first-stage and"
                            + " FOLDER/diffusion, what each decoder makes of the same slots, and"
                            + " FOLDER/real, the pictures that slots are of. What was stopped is gone"
                            + " on with by the same command; a folder with other files is refused, and so are"
                            + " other files among the pictures.")
    private @Nullable Path folder;

    @Option(
            names = "--count",
            defaultValue = "1000",
            paramLabel = "NUMBER",
            description =
                    "How many pictures each decoder makes for --folder, 1 to "
                            + MAX_COUNT
                            + ". Default: ${DEFAULT-VALUE}.")
    private int count;

    @Option(
            names = "--distance",
            paramLabel = "NUMBER",
            description =
                    "Composes so many pictures, 2 to "
                            + MAX_SCENES
                            + ", of slots of as many, by both decoders, and tells how far they are"
                            + " from real ones; no figure then. Default: none.")
    private int distance;

    @Option(
            names = "--repeats",
            defaultValue = "1",
            paramLabel = "NUMBER",
            description =
                    "How often --distance composes, 1 to "
                            + MAX_REPEATS
                            + ", each time by the seed after the last; it tells the mean, the lowest"
                            + " and the highest. Default: ${DEFAULT-VALUE}.")
    private int repeats;

    @Option(
            names = "--inception",
            paramLabel = "FILE",
            description =
                    "What --distance sees pictures with; the encoder of the model by default. "
                            + DistanceFeatures.INCEPTION)
    private @Nullable Path inception;

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
        check();
        if (Program.isGiven(spec, "--distance")) {
            measure();
        } else if (folder != null) {
            write(folder);
        } else {
            draw();
        }
        return ExitCode.OK;
    }

    private void check() throws IOException {
        options.check(spec);
        if (scenes != null) {
            Program.requireRange(spec, "--scenes", scenes, 1, MAX_SCENES);
        }
        Program.requireRange(spec, "--pictures", pictures, 1, MAX_PICTURES);
        Program.requireRange(spec, "--count", count, 1, MAX_COUNT);
        Program.requireRange(spec, "--repeats", repeats, 1, MAX_REPEATS);
        if (Program.isGiven(spec, "--distance")) {
            Program.requireRange(spec, "--distance", distance, 2, MAX_SCENES);
        }
        Program.refuseWithout(spec, "--folder", "--count");
        Program.refuseWithout(spec, "--distance", "--repeats", "--inception");
        Program.refuseBeside(
                spec, "--distance", "--folder", "--scenes", "--pictures", "--prompt", "--output");
        Program.refuseBeside(spec, "--folder", "--pictures", "--prompt", "--output");
        Program.refuseBeside(spec, "--prompt", "--pictures", "--rule", "--objects", "--clusters");
        Program.requirePng(spec, output);
        WrittenFiles written = new WrittenFiles();
        composers.check(spec, options, written);
        if (folder != null) {
            OutputFolder.requireName(spec, "--folder", folder);
            options.refuseAmongPictures(spec, "--folder", folder);
            written.andFolder("--folder", folder).check(spec);
            ComposedFolder.check(folder);
        } else if (!Program.isGiven(spec, "--distance")) {
            options.refuseAmongPictures(spec, "--output", output);
            written.and("--output", output).check(spec);
            new OutputFile(output).check(options.model());
        } else {
            written.check(spec);
        }
    }

    private void draw() throws IOException {
        PrintWriter out = spec.commandLine().getOut();
        try (NDManager manager = NDManager.newBaseManager();
                LatentSlotDiffusion model = options.load(spec, manager)) {
            int number = scenes == null ? USUAL_SCENES : scenes;
            Scenes from = options.scenes(spec, model, number, 1);
            List<List<SlotChoice>> chosen = prompted(model, from.size());
            FoundSlots found = found(model, from, pictures -> {}, out);
            DiffusionFigure figure =
                    new DiffusionFigure(model, options.sampling(model, out), options.seed());
            if (chosen.isEmpty()) {
                chosen =
                        composers
                                .composer(figure, from, found, out)
                                .pictures(options.seed(), 0, pictures);
            }
            new OutputFile(output).write(figure.compositions(from, found, chosen));
        }
        options.tellOfSprites(out);
        out.printf("Figure: %s%n", output.toAbsolutePath().normalize());
    }

    private List<List<SlotChoice>> prompted(LatentSlotDiffusion model, long size) {
        List<List<SlotChoice>> chosen = new ArrayList<>();
        if (prompts != null) {
            for (Prompt prompt : prompts) {
                prompt.check(spec, size, model.madeFrom().discovery().slots());
                chosen.add(prompt.slots());
            }
        }
        return chosen;
    }

    private static FoundSlots found(
            LatentSlotDiffusion model, Scenes from, FoundSlots.Looked looked, PrintWriter out)
            throws IOException {
        ProgressLines progress = new ProgressLines(out, "slots", "pictures", from.size());
        return FoundSlots.of(
                model,
                from,
                pictures -> {
                    progress.done(pictures);
                    looked.at(pictures);
                });
    }

    private void write(Path into) throws IOException {
        PrintWriter out = spec.commandLine().getOut();
        try (NDManager manager = NDManager.newBaseManager();
                LatentSlotDiffusion model = options.load(spec, manager);
                StopRequest stop = new StopRequest();
                ComposedFolder made = new ComposedFolder(into)) {
            int number = scenes == null ? Math.min(count, MAX_SCENES) : scenes;
            Scenes from = options.scenes(spec, model, number, 1);
            made.begin(
                    List.of(
                            "model " + Checksum.of(StateDict.of(model)),
                            "slots of " + options.known(model, from),
                            composers.named(),
                            "drawn by " + options.drawn(),
                            "--seed " + options.seed()),
                    Map.of(
                            "real",
                            from.size(),
                            FIRST_STAGE,
                            (long) MAX_COUNT,
                            DIFFUSION,
                            (long) MAX_COUNT));
            SamplingProgress progress =
                    (done, of) -> {
                        if (stop.isMade()) {
                            throw new ComposedFolder.Stopped();
                        }
                    };
            FoundSlots found =
                    found(
                            model,
                            from,
                            pictures -> {
                                if (stop.isMade()) {
                                    throw ComposedFolder.stopped(out, 0);
                                }
                            },
                            out);
            DiffusionFigure figure =
                    new DiffusionFigure(model, options.sampling(model, progress), options.seed());
            Composer composer = composers.composer(figure, from, found, out);
            TwoDecoders decoders = new TwoDecoders(model, options.sampling(model, progress), found);
            List<ComposedFolder.Part> parts = new ArrayList<>();
            parts.add(new ComposedFolder.Part("real", from));
            for (By by : By.values()) {
                parts.add(
                        new ComposedFolder.Part(
                                by == By.DIFFUSION ? DIFFUSION : FIRST_STAGE,
                                decoders.composed(by, composer, options.seed(), count)));
            }
            made.write(out, parts, stop);
        }
        options.tellOfSprites(out);
        out.printf("Pictures: %s%n", into.toAbsolutePath().normalize());
    }

    private void measure() throws IOException {
        PrintWriter out = spec.commandLine().getOut();
        try (NDManager manager = NDManager.newBaseManager();
                LatentSlotDiffusion model = options.load(spec, manager);
                PictureFeatures features =
                        inception == null
                                ? DistanceFeatures.of(model.discovery(), "this model", manager)
                                : DistanceFeatures.inception(inception)) {
            Scenes all = options.scenes(spec, model, 2 * distance, 4);
            long half = all.size() / 2;
            Scenes real = all.range(0, half);
            FoundSlots found = found(model, real, pictures -> {}, out);
            SamplingProgress silent = SamplingProgress.NONE;
            DiffusionFigure figure =
                    new DiffusionFigure(model, options.sampling(model, silent), options.seed());
            Composer composer = composers.composer(figure, real, found, out);
            new ComposedDistance(
                            features,
                            new TwoDecoders(model, options.sampling(model, silent), found),
                            composer,
                            options.seed(),
                            repeats)
                    .report(out, real, all.range(half, all.size()));
        }
        options.tellOfSprites(out);
    }
}
