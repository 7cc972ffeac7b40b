//! Pipelines on a driver, and what it tells of them.

use std::collections::BTreeMap;
use std::ffi::{CStr, CString, c_char};
use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::time::Instant;

use ash::{khr, vk};

use crate::Outcome;
use crate::listing::{self, Counts};

unsafe extern "C" {
    fn fflush(stream: *mut std::ffi::c_void) -> std::ffi::c_int;
}

/// Compiles what `out` lists for a compiler, and writes a line of statistics each, after one with the driver's and the device's names.
pub fn run(out: &Path, compiler: &str) -> Outcome {
    let entry = unsafe { ash::Entry::load() }?;
    let app = vk::ApplicationInfo::default().api_version(vk::API_VERSION_1_3);
    let info = vk::InstanceCreateInfo::default().application_info(&app);
    let instance = unsafe { entry.create_instance(&info, None) }?;
    let devices = unsafe { instance.enumerate_physical_devices() }?;
    let physical = *devices.first().ok_or("no Vulkan device")?;
    let (driver, title) = Driver::open(&instance, physical)?;
    let mut lines = title + "\n";
    let printed = out.join(format!("{compiler}.out"));
    let mut seen = 0;
    let list = fs::read_to_string(out.join(format!("{compiler}.tsv")))?;
    for line in list.lines() {
        let fields: Vec<&str> = line.split('\t').collect();
        let [number, runs, kinds, point, label] = fields[..] else {
            return Err(format!("{compiler}.tsv: expected 5 fields, found {line:?}").into());
        };
        let code = fs::read(out.join(format!("{number}.spv")))?;
        let words: Vec<u32> = code
            .chunks_exact(4)
            .map(|word| u32::from_le_bytes([word[0], word[1], word[2], word[3]]))
            .collect();
        write!(lines, "{label}\t{runs}")?;
        match driver.pipeline(&words, kinds, point) {
            Ok(mut told) => {
                // SAFETY: without a stream, all of C's are written out.
                unsafe { fflush(std::ptr::null_mut()) };
                let text = fs::read(&printed).unwrap_or_default();
                let listing = String::from_utf8_lossy(&text[seen.min(text.len())..]);
                seen = text.len();
                add(&mut told, listing::count("AGX", &listing));
                for (key, value) in told {
                    write!(lines, "\t{key}={value}")?;
                }
            }
            Err(error) => write!(lines, "\tfailed={error}")?,
        }
        lines.push('\n');
    }
    fs::write(out.join(format!("{compiler}.stats")), lines)?;
    Ok(())
}

fn text(chars: &[c_char]) -> String {
    // SAFETY: Vulkan's fixed arrays of characters end with a zero.
    unsafe { CStr::from_ptr(chars.as_ptr()) }
        .to_string_lossy()
        .into_owned()
}

struct Driver {
    device: ash::Device,
    executables: khr::pipeline_executable_properties::Device,
}

impl Driver {
    /// Opens the device as wgpu does, with statistics; and the driver's and its names.
    fn open(instance: &ash::Instance, physical: vk::PhysicalDevice) -> Outcome<(Self, String)> {
        let mut driver = vk::PhysicalDeviceDriverProperties::default();
        let mut properties = vk::PhysicalDeviceProperties2::default().push_next(&mut driver);
        unsafe { instance.get_physical_device_properties2(physical, &mut properties) };
        let name = text(&properties.properties.device_name);
        let (driver_name, version) = (text(&driver.driver_name), text(&driver.driver_info));
        let title = format!("{driver_name}, {version}, for {}", name.trim());
        let mut f11 =
            vk::PhysicalDeviceVulkan11Features::default().storage_buffer16_bit_access(true);
        let mut f12 = vk::PhysicalDeviceVulkan12Features::default()
            .shader_float16(true)
            .vulkan_memory_model(true);
        let mut f13 = vk::PhysicalDeviceVulkan13Features::default().subgroup_size_control(true);
        let mut statistics = vk::PhysicalDevicePipelineExecutablePropertiesFeaturesKHR::default()
            .pipeline_executable_info(true);
        let names = [khr::pipeline_executable_properties::NAME.as_ptr()];
        let queues = [vk::DeviceQueueCreateInfo::default()
            .queue_family_index(0)
            .queue_priorities(&[1.0])];
        let create = vk::DeviceCreateInfo::default()
            .queue_create_infos(&queues)
            .enabled_extension_names(&names)
            .push_next(&mut f11)
            .push_next(&mut f12)
            .push_next(&mut f13)
            .push_next(&mut statistics);
        let device = unsafe { instance.create_device(physical, &create, None) }?;
        let executables = khr::pipeline_executable_properties::Device::new(instance, &device);
        let driver = Self {
            device,
            executables,
        };
        Ok((driver, title))
    }

    /// Makes a pipeline and returns its statistics; `kinds` are the letters of its bindings.
    fn pipeline(
        &self,
        words: &[u32],
        kinds: &str,
        point: &str,
    ) -> Outcome<BTreeMap<String, String>> {
        let device = &self.device;
        let binding = |(number, kind)| {
            let ty = match kind {
                'u' => vk::DescriptorType::UNIFORM_BUFFER,
                _ => vk::DescriptorType::STORAGE_BUFFER,
            };
            vk::DescriptorSetLayoutBinding::default()
                .binding(number)
                .descriptor_type(ty)
                .descriptor_count(1)
                .stage_flags(vk::ShaderStageFlags::COMPUTE)
        };
        let bindings: Vec<_> = (0..).zip(kinds.chars()).map(binding).collect();
        let set = vk::DescriptorSetLayoutCreateInfo::default().bindings(&bindings);
        let set = unsafe { device.create_descriptor_set_layout(&set, None) }?;
        let sets = [set];
        let layout = vk::PipelineLayoutCreateInfo::default().set_layouts(&sets);
        let layout = unsafe { device.create_pipeline_layout(&layout, None) }?;
        let module = vk::ShaderModuleCreateInfo::default().code(words);
        let module = unsafe { device.create_shader_module(&module, None) }?;
        let point = CString::new(point)?;
        // As wgpu does where there are subgroup operations.
        let stage = vk::PipelineShaderStageCreateInfo::default()
            .stage(vk::ShaderStageFlags::COMPUTE)
            .flags(vk::PipelineShaderStageCreateFlags::ALLOW_VARYING_SUBGROUP_SIZE)
            .module(module)
            .name(&point);
        let info = vk::ComputePipelineCreateInfo::default()
            .stage(stage)
            .layout(layout)
            .flags(
                vk::PipelineCreateFlags::CAPTURE_STATISTICS_KHR
                    | vk::PipelineCreateFlags::CAPTURE_INTERNAL_REPRESENTATIONS_KHR,
            );
        let begin = Instant::now();
        let made =
            unsafe { device.create_compute_pipelines(vk::PipelineCache::null(), &[info], None) };
        let pipeline = made.map_err(|(_, error)| error)?[0];
        let ms = begin.elapsed().as_millis().to_string();
        let told = self.statistics(pipeline);
        unsafe {
            device.destroy_pipeline(pipeline, None);
            device.destroy_shader_module(module, None);
            device.destroy_pipeline_layout(layout, None);
            device.destroy_descriptor_set_layout(set, None);
        }
        let mut told = told?;
        told.insert("ms".to_owned(), ms);
        Ok(told)
    }

    /// The driver's own statistics under its own names, and what the listings of its last form hold. A pipeline may have several
    /// executables (Intel's: one for each width of a subgroup); the last is the widest.
    fn statistics(&self, pipeline: vk::Pipeline) -> Outcome<BTreeMap<String, String>> {
        let mut told = BTreeMap::new();
        let which = vk::PipelineInfoKHR::default().pipeline(pipeline);
        let all = unsafe { self.executables.get_pipeline_executable_properties(&which) }?;
        for (number, executable) in (0..).zip(&all) {
            told.insert("subgroup".to_owned(), executable.subgroup_size.to_string());
            told.insert("executables".to_owned(), all.len().to_string());
            let info = vk::PipelineExecutableInfoKHR::default()
                .pipeline(pipeline)
                .executable_index(number);
            for one in unsafe { self.executables.get_pipeline_executable_statistics(&info) }? {
                told.insert(text(&one.name), value(&one));
            }
            for (name, listing) in self.listings(&info)? {
                add(&mut told, listing::count(&name, &listing));
            }
        }
        Ok(told)
    }

    /// The driver's listings, by their names.
    fn listings(&self, info: &vk::PipelineExecutableInfoKHR<'_>) -> Outcome<Vec<(String, String)>> {
        let get = self
            .executables
            .fp()
            .get_pipeline_executable_internal_representations_khr;
        let handle = self.device.handle();
        let mut count = 0;
        unsafe { get(handle, info, &mut count, std::ptr::null_mut()) }.result()?;
        let mut found =
            vec![vk::PipelineExecutableInternalRepresentationKHR::default(); count as usize];
        unsafe { get(handle, info, &mut count, found.as_mut_ptr()) }.result()?;
        let mut stores: Vec<Vec<u8>> = found.iter().map(|one| vec![0; one.data_size]).collect();
        for (one, store) in found.iter_mut().zip(&mut stores) {
            one.p_data = store.as_mut_ptr().cast();
        }
        unsafe { get(handle, info, &mut count, found.as_mut_ptr()) }.result()?;
        let listings = found.iter().zip(&stores);
        let listings = listings
            .map(|(one, store)| (text(&one.name), String::from_utf8_lossy(store).into_owned()));
        Ok(listings.collect())
    }
}

/// Adds what a listing has.
fn add(told: &mut BTreeMap<String, String>, counts: Counts) {
    if counts.all > 0 {
        told.insert("fma".to_owned(), counts.fma.to_string());
        told.insert("instructions".to_owned(), counts.all.to_string());
    }
}

fn value(one: &vk::PipelineExecutableStatisticKHR<'_>) -> String {
    use vk::PipelineExecutableStatisticFormatKHR as Format;
    // SAFETY: the format says which it is.
    unsafe {
        match one.format {
            Format::FLOAT64 => one.value.f64.to_string(),
            Format::BOOL32 => one.value.b32.to_string(),
            Format::INT64 => one.value.i64.to_string(),
            _ => one.value.u64.to_string(),
        }
    }
}
