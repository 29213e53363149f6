package org.slotwise.examples.shared;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ai.djl.modality.cv.BufferedImageFactory;
import ai.djl.modality.cv.Image;
import java.awt.image.BufferedImage;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Random;
import java.util.concurrent.Callable;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import picocli.CommandLine.Command;
import picocli.CommandLine.Parameters;

class StopRequestTest {

    @TempDir private Path folder;

    /** Writes pictures until it is asked to end, and then some more. */
    @Command(name = "pictures")
    static final class Pictures implements Callable<Integer> {

        private static final int SIDE = 1200;
        private static final int MORE = 2;

        @Parameters(index = "0")
        private Path folder;

        public static void main(String[] args) {
            Program.main(new Pictures(), args);
        }

        @Override
        public Integer call() throws IOException {
            BufferedImage noise = new BufferedImage(SIDE, SIDE, BufferedImage.TYPE_INT_RGB);
            Random random = new Random(0);
            for (int i = 0; i < SIDE * SIDE; i++) {
                noise.setRGB(i % SIDE, i / SIDE, random.nextInt());
            }
            Image picture = new BufferedImageFactory().fromImage(noise);
            OutputFile first = new OutputFile(folder.resolve("first.png"));
            try (StopRequest stop = new StopRequest()) {
                while (!stop.isMade()) {
                    first.write(picture);
                }
                for (int i = 0; i < MORE; i++) {
                    new OutputFile(folder.resolve("more" + i + ".png")).write(picture);
                }
                Files.writeString(folder.resolve("all.txt"), "written");
            }
            return 0;
        }
    }

    /** Java closes streams of pictures when a process ends, if they go through files of its own. */
    @Test
    void picturesAreWrittenWhileTheProcessEnds() throws Exception {
        Path told = folder.resolve("told.txt");
        Process process = OtherProcess.start(Pictures.class, told, List.of(folder.toString()));
        try {
            while (!Files.exists(folder.resolve("first.png"))) {
                assertTrue(!process.waitFor(2, TimeUnit.MILLISECONDS), () -> "ended: " + told);
            }
        } finally {
            process.destroy();
            assertTrue(process.waitFor(30, TimeUnit.SECONDS), "ends soon");
        }
        assertTrue(Files.exists(folder.resolve("all.txt")), Files.readString(told));
        try (var files = Files.list(folder)) {
            long more = files.filter(f -> f.toString().contains("more")).count();
            assertEquals(Pictures.MORE, more);
        }
    }
}
