package org.slotwise.examples.group;

import ai.djl.modality.cv.Image;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Locale;
import java.util.concurrent.Callable;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.slotwise.examples.shared.Figure;
import org.slotwise.examples.shared.HelpOption;
import org.slotwise.examples.shared.OutputFile;
import org.slotwise.examples.shared.Picture;
import org.slotwise.examples.shared.PictureFile;
import org.slotwise.examples.shared.Program;
import org.slotwise.examples.shared.StillLife;
import org.slotwise.image.SlotMasks;
import picocli.CommandLine.Command;
import picocli.CommandLine.ExitCode;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** Groups the pixels of a picture into slots by colour and place, and draws what came out. */
@Command(
        name = "GroupPixels",
        header = {"Groups the pixels of a picture by colour and place, without any training.", ""},
        description = {
            "Groups the pixels of a picture into slots by colour and place, and draws the picture,"
                    + " its segmentation and each slot side by side.",
            ""
        },
        sortOptions = false,
        exitCodeListHeading = "%nExit codes:%n",
        exitCodeList = {
            "0:The figure was written.",
            "1:The picture could not be read, or the figure not be written.",
            "2:An option is wrong."
        })
public final class GroupPixels implements Callable<Integer> {

    private static final int MAX_SLOTS = 64;
    private static final int MIN_SIDE = 16;
    private static final int MAX_SIDE = 480;
    private static final int MAX_WEIGHT = 10;
    private static final String DEFAULT = " Default: ${DEFAULT-VALUE}.";

    @Option(
            names = "--image",
            paramLabel = "FILE",
            description =
                    "The picture: PNG, JPEG, WebP, GIF or BMP. Without it, a drawn still life.")
    private @Nullable Path image;

    @Option(
            names = "--slots",
            defaultValue = "6",
            paramLabel = "K",
            description = "How many slots, 1 to " + MAX_SLOTS + "." + DEFAULT)
    private int slots;

    @Option(
            names = "--method",
            defaultValue = "kmeans",
            paramLabel = "NAME",
            converter = Method.Parser.class,
            description = "How to group: ${COMPLETION-CANDIDATES}." + DEFAULT)
    private Method method;

    @Option(
            names = "--position",
            defaultValue = "0.3",
            paramLabel = "WEIGHT",
            description =
                    "How much a pixel's place counts beside its colour, 0 to "
                            + MAX_WEIGHT
                            + ". At 1, from one end of the picture to the other is as far as from"
                            + " black to white."
                            + DEFAULT)
    private double position;

    @Option(
            names = "--size",
            defaultValue = "240",
            paramLabel = "PIXELS",
            description =
                    "The longest side at which larger pictures are grouped, "
                            + MIN_SIDE
                            + " to "
                            + MAX_SIDE
                            + "."
                            + DEFAULT)
    private int size;

    @Option(
            names = "--seed",
            defaultValue = "0",
            paramLabel = "NUMBER",
            description = "What random choices start from." + DEFAULT)
    private int seed;

    @Option(
            names = "--output",
            defaultValue = "group-pixels.png",
            paramLabel = "FILE",
            description = "Where the figure goes, a PNG file." + DEFAULT)
    private Path output;

    @Mixin private HelpOption help;

    @Spec private CommandSpec spec;

    /**
     * Runs the program and ends the process with its exit code.
     *
     * @param args the options; {@code --help} lists them
     */
    public static void main(String[] args) {
        Program.main(new GroupPixels(), args);
    }

    @Override
    public Integer call() throws IOException {
        checkOptions();
        OutputFile file = new OutputFile(output);
        file.check(image);
        String report;
        try (Progress progress = new Progress(4)) {
            progress.step("reading the picture");
            Picture picture =
                    image == null
                            ? StillLife.arranged(0).draw()
                            : new PictureFile(image).read(2 * Math.max(size, Figure.PANEL));
            Image small = picture.scaledTo(Math.min(size, picture.longestSide()));
            checkPixels(small);
            progress.step("starting PyTorch");
            try (NDManager manager = NDManager.newBaseManager()) {
                progress.step("grouping");
                long start = System.nanoTime();
                NDArray attributions =
                        method.grouping()
                                .group(PixelFeatures.of(manager, small, position), slots, seed);
                SlotMasks masks = masks(attributions, small);
                double seconds = (System.nanoTime() - start) / 1e9;
                progress.step("drawing");
                file.write(Figure.draw(picture, masks));
                report = report(picture, small, masks, seconds);
            }
        }
        spec.commandLine().getOut().println(report);
        return ExitCode.OK;
    }

    /** Which pixel belongs to which slot, the largest slot first, of attributions (1, K, N). */
    static SlotMasks masks(NDArray attributions, Image small) {
        long slots = attributions.getShape().get(1);
        return SlotMasks.of(attributions.reshape(slots, small.getHeight(), small.getWidth()))
                .hard()
                .largestFirst();
    }

    private void checkOptions() {
        Program.require(
                spec, slots >= 1 && slots <= MAX_SLOTS, "--slots must be 1 to " + MAX_SLOTS, slots);
        Program.require(
                spec,
                position >= 0 && position <= MAX_WEIGHT,
                "--position must be 0 to " + MAX_WEIGHT,
                position);
        Program.require(
                spec,
                size >= MIN_SIDE && size <= MAX_SIDE,
                "--size must be " + MIN_SIDE + " to " + MAX_SIDE,
                size);
        Program.requirePng(spec, output);
    }

    private void checkPixels(Image small) {
        int pixels = small.getWidth() * small.getHeight();
        Program.require(
                spec,
                slots <= pixels,
                "--slots must be at most the number of pixels, here " + pixels,
                slots);
    }

    private String report(Picture picture, Image small, SlotMasks masks, double seconds) {
        return String.format(
                Locale.ROOT,
                "%s, %d x %d: grouped at %d x %d by %s in %.2f s%n"
                        + "Pixels of the %d slots: %s%n"
                        + "Figure: %s",
                image == null ? "Still life" : image,
                picture.width(),
                picture.height(),
                small.getWidth(),
                small.getHeight(),
                method,
                seconds,
                slots,
                Arrays.stream(masks.sizes())
                        .mapToObj(Integer::toString)
                        .collect(Collectors.joining(", ")),
                output.toAbsolutePath().normalize());
    }
}
