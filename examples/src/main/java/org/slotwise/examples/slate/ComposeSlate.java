package org.slotwise.examples.slate;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.training.ParameterStore;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.Callable;
import java.util.stream.Collectors;
import java.util.stream.LongStream;
import org.jspecify.annotations.Nullable;
import org.slotwise.data.Scenes;
import org.slotwise.examples.shared.HelpOption;
import org.slotwise.examples.shared.OutputFile;
import org.slotwise.examples.shared.Program;
import org.slotwise.examples.shared.Prompt;
import org.slotwise.slate.EncodedPictures;
import org.slotwise.slate.Slate;
import org.slotwise.slate.SlotChoice;
import org.slotwise.slate.TokenSampling;
import picocli.CommandLine.Command;
import picocli.CommandLine.ExitCode;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** The command "compose" of {@link ComposePictures}. */
@Command(
        name = "compose",
        description = {
            "Makes pictures of slots of several pictures. Without a prompt, all slots are sorted into"
                    + " libraries by k-means, as many as a picture has slots, and one of each library"
                    + " is drawn. Draws a row for each: what each slot attended to in its own picture,"
                    + " and the picture that was made.",
            ""
        },
        sortOptions = false)
final class ComposeSlate implements Callable<Integer> {

    private static final int MAX_SCENES = 1000;
    private static final int MAX_PICTURES = 64;

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
                    "How many pictures are made, 1 to "
                            + MAX_PICTURES
                            + ". Default: ${DEFAULT-VALUE}.")
    private int pictures;

    @Option(
            names = "--prompt",
            paramLabel = "P:S,P:S...",
            converter = Prompt.Parser.class,
            description =
                    "Which slots are put together, each as the number of its picture and its own,"
                            + " both from 0: 0:1,0:2,3:0. May be given several times.")
    private @Nullable List<Prompt> prompts;

    @Option(
            names = "--temperature",
            paramLabel = "NUMBER",
            description =
                    "Draws tokens, the more boldly the higher, above 0 and up to 10. Default: takes"
                            + " the most probable ones.")
    private @Nullable Double temperature;

    @Option(
            names = "--top-k",
            paramLabel = "NUMBER",
            description = "Of how many of the most probable tokens. Default: of all.")
    private @Nullable Integer topK;

    @Option(
            names = "--seed",
            defaultValue = "0",
            paramLabel = "NUMBER",
            description = "What is drawn, 0 to 2^31 - 1. Default: ${DEFAULT-VALUE}.")
    private int seed;

    @Mixin private SlateOptions options;

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
        OutputFile file = new OutputFile(output);
        file.check(options.model());
        options.refuseAmongPictures(spec, "--output", output);
        PrintWriter out = spec.commandLine().getOut();
        try (NDManager manager = NDManager.newBaseManager()) {
            Slate slate = options.load(manager);
            Scenes from = options.scenes(spec, slate, scenes, 1);
            NDArray images =
                    TrainingPictures.images(
                            manager, from, LongStream.range(0, from.size()).toArray());
            EncodedPictures seen = SlateScores.encode(slate, images);
            List<List<SlotChoice>> chosen = chosen(seen.slots(), out);
            List<NDArray> made = new ArrayList<>();
            for (List<SlotChoice> prompt : chosen) {
                made.add(picture(slate, slate.compose(seen.slots(), prompt), made.size()));
            }
            file.write(new SlateFigure(slate).compositions(images, seen, chosen, made));
        }
        options.tellOfOtherPictures(out);
        out.printf("Figure: %s%n", output.toAbsolutePath().normalize());
        return ExitCode.OK;
    }

    private List<List<SlotChoice>> chosen(NDArray slots, PrintWriter out) {
        List<List<SlotChoice>> chosen = new ArrayList<>();
        if (prompts == null) {
            SlotLibraries libraries = new SlotLibraries(slots, (int) slots.getShape().get(1));
            out.printf(
                    "%d libraries of like slots, one slot of each in a picture; they have %s%n",
                    libraries.sizes().size(), inWords(libraries.sizes()));
            Random random = new Random(seed);
            for (int i = 0; i < pictures; i++) {
                chosen.add(libraries.draw(random));
            }
            return chosen;
        }
        for (Prompt prompt : prompts) {
            prompt.check(spec, slots.getShape().get(0), slots.getShape().get(1));
            chosen.add(prompt.slots());
        }
        return chosen;
    }

    /** "18, 22 and 24". */
    private static String inWords(List<Integer> counts) {
        String all = counts.stream().map(String::valueOf).collect(Collectors.joining(", "));
        int last = all.lastIndexOf(", ");
        return last < 0 ? all : all.substring(0, last) + " and" + all.substring(last + 1);
    }

    private NDArray picture(Slate slate, NDArray prompt, int number) {
        ParameterStore store = new ParameterStore(prompt.getManager(), false);
        if (temperature == null) {
            return slate.generate(store, prompt).pictures();
        }
        TokenSampling sampling =
                new TokenSampling(
                        temperature, topK == null ? Integer.MAX_VALUE : topK, seed + (long) number);
        return slate.generate(store, prompt, sampling).pictures();
    }

    private void check() {
        options.check(spec);
        Program.requireRange(spec, "--scenes", scenes, 1, MAX_SCENES);
        Program.requireRange(spec, "--pictures", pictures, 1, MAX_PICTURES);
        Program.requireRange(spec, "--seed", seed, 0, Integer.MAX_VALUE);
        Program.refuseBeside(spec, "--prompt", "--pictures");
        if (temperature != null) {
            Program.require(
                    spec,
                    temperature > 0 && temperature <= 10,
                    "--temperature must be above 0 and at most 10",
                    temperature);
        }
        if (topK != null) {
            Program.requireRange(spec, "--top-k", topK, 1, Integer.MAX_VALUE);
        }
        Program.refuseWithout(spec, "--temperature", "--top-k");
        Program.requirePng(spec, output);
    }
}
